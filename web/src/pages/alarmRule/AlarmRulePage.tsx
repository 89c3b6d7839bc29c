import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { ruleQuery, templatesQuery } from "../../api/alarms";
import { appsQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { AlarmMark } from "../../parts/alarms/AlarmMark";
import { emptyRule } from "../../parts/alarms/fields";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Loaded } from "../../parts/Loaded";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { RuleEditor } from "./RuleEditor";

const route = getRouteApi("/in/alarms/rules/$rule");

/** One rule and its editor. `new` at the end of the address is a rule that is still to be kept. */
export default function AlarmRulePage() {
  const { rule } = route.useParams();
  return rule === "new" ? <NewRule /> : <KeptRule id={rule} key={rule} />;
}

function Parent() {
  const { t } = useWords();
  return (
    <Link to="/alarms/rules" className="link">
      {t("alarms.tab.rules")}
    </Link>
  );
}

function NewRule() {
  const { t, language } = useWords();
  const { template } = route.useSearch();
  const templates = useQuery({ ...templatesQuery(language), enabled: template !== undefined });
  const apps = useQuery(appsQuery);
  const title = t("alarms.edit.untitled");
  return (
    <Page title={title} heading={<Breadcrumb parent={<Parent />} name={title} />}>
      <Loaded query={apps} skeleton={<ReportSkeleton />}>
        {(known) => {
          if (!template) return <RuleEditor apps={known} kept={null} start={emptyRule(title)} />;
          return (
            <Loaded query={templates} skeleton={<ReportSkeleton />}>
              {(all) => (
                <RuleEditor
                  key={template}
                  apps={known}
                  kept={null}
                  start={all.find(({ id }) => id === template)?.rule ?? emptyRule(title)}
                />
              )}
            </Loaded>
          );
        }}
      </Loaded>
    </Page>
  );
}

function KeptRule({ id }: { id: string }) {
  const rule = useQuery({ ...ruleQuery(id), refetchOnWindowFocus: false });
  const apps = useQuery(appsQuery);
  const name = rule.data?.rule.name ?? id;
  return (
    <Page
      title={name}
      heading={
        <Breadcrumb
          parent={<Parent />}
          name={name}
          mark={rule.data && <AlarmMark severity={rule.data.rule.severity} state="ok" />}
        />
      }
    >
      <Loaded query={rule} skeleton={<ReportSkeleton />}>
        {(kept) => (
          <Loaded query={apps} skeleton={<ReportSkeleton />}>
            {(known) => <RuleEditor key={kept.version} apps={known} kept={kept} start={kept.rule} />}
          </Loaded>
        )}
      </Loaded>
    </Page>
  );
}
