import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { dashboardQuery } from "../../api/dashboards";
import type { Dashboard } from "../../api/dashboardsTypes";
import { betweenOf } from "../../domain/range";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Grid } from "../../parts/dashboard/Grid";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useMayChange } from "../../shell/useMayChange";
import { useRange } from "../../shell/useRange";
import { AskedPanel } from "./AskedPanel";
import { Editor } from "./Editor";
import { Tools } from "./Tools";
import { useKnown } from "./useKnown";
import { VariableFields } from "./VariableFields";
import { valuesOf } from "./values";

const route = getRouteApi("/in/dashboards/$id");

/** One dashboard, with the values of its variables in the address; and its editor. */
export default function DashboardPage() {
  const { id } = route.useParams();
  const { t, language } = useWords();
  const dashboard = useQuery(dashboardQuery(id, language));
  const loaded = (
    <Loaded query={dashboard} skeleton={<ReportSkeleton />}>
      {(found) => <Shown key={`${found.id} ${found.version} ${language}`} dashboard={found} />}
    </Loaded>
  );
  if (dashboard.data) return loaded;
  return (
    <Page title={t("nav.dashboards")} heading={<Heading name={id} />}>
      {loaded}
    </Page>
  );
}

function Heading({ name }: { name: string }) {
  const { t } = useWords();
  return <Breadcrumb parent={<Link to="/dashboards">{t("nav.dashboards")}</Link>} name={name} />;
}

function Shown({ dashboard }: { dashboard: Dashboard }) {
  const { t } = useWords();
  const { title } = dashboard.document;
  const { edit, value } = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMayChange();
  const { range, zoomTo } = useRange();
  const [draft, setDraft] = useState(dashboard.document);
  const editing = mayChange && edit === true && dashboard.app !== null;
  const document = editing ? draft : dashboard.document;
  const { known, asking } = useKnown(document.variables);
  const values = valuesOf(document.variables, value, known);
  const between = betweenOf(range);
  return (
    <Page
      title={title}
      heading={<Heading name={title} />}
      tools={
        <>
          <VariableFields
            variables={document.variables}
            values={values}
            known={known}
            onChange={(next) =>
              navigate({
                search: (before) => ({
                  ...before,
                  value: Object.entries(next).map(([name, chosen]) => `${name}=${chosen}`),
                }),
                replace: true,
              })
            }
          />
          {mayChange && <Tools dashboard={dashboard} draft={document} values={values} editing={editing} />}
        </>
      }
    >
      {editing ? (
        <Editor document={draft} app={dashboard.app} values={values} onChange={setDraft} />
      ) : asking ? (
        <ReportSkeleton />
      ) : document.panels.length === 0 ? (
        <Empty title={t("dashboards.noPanels")} />
      ) : (
        <Grid panels={document.panels}>
          {(panel) => (
            <AskedPanel panel={panel} app={dashboard.app} values={values} between={between} onSelect={zoomTo} />
          )}
        </Grid>
      )}
    </Page>
  );
}
