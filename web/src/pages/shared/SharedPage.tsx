import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect } from "react";

import { sharedPanelQuery, sharedQuery } from "../../api/dashboards";
import type { Panel } from "../../api/dashboardsTypes";
import { betweenOf, type Range, rangeOf } from "../../domain/range";
import { useWords } from "../../i18n";
import { Grid } from "../../parts/dashboard/Grid";
import { PanelView } from "../../parts/dashboard/PanelView";
import { Loaded } from "../../parts/Loaded";
import { ReportSkeleton } from "../../parts/Skeletons";
import classes from "./SharedPage.module.css";

const route = getRouteApi("/shared/$token");

/** A dashboard for whoever has the link to it: no navigation, nothing to change. */
export default function SharedPage() {
  const { t } = useWords();
  const { token } = route.useParams();
  const range = rangeOf(route.useSearch());
  const shared = useQuery(sharedQuery(token));
  const title = shared.data?.document.title;
  useEffect(() => {
    document.title = title ? `${title} · Sonde` : "Sonde";
  }, [title]);
  return (
    <main className={classes.page}>
      <Loaded
        query={shared}
        skeleton={<ReportSkeleton />}
        gone={{ title: t("dashboards.share.gone"), hint: t("dashboards.share.gone.hint") }}
      >
        {({ document, values }) => (
          <>
            <h1 className={classes.title}>
              {document.title}
              {Object.entries(values).map(([name, value]) => (
                <span key={name} className="muted">{` ${value}`}</span>
              ))}
            </h1>
            <Grid panels={document.panels}>{(panel) => <SharedPanel token={token} panel={panel} range={range} />}</Grid>
          </>
        )}
      </Loaded>
    </main>
  );
}

function SharedPanel({ token, panel, range }: { token: string; panel: Panel; range: Range }) {
  const query = useQuery({ ...sharedPanelQuery(token, panel.id, range), enabled: panel.kind !== "text" });
  return <PanelView panel={panel} query={query} between={betweenOf(range)} />;
}
