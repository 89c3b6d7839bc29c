import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { alarmSummaryQuery, alarmsQuery } from "../../api/alarms";
import type { Alarm, AlarmState, AlarmSummary, Severity } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";
import { AlarmTabs } from "../../parts/alarms/AlarmTabs";
import { lasting } from "../../parts/alarms/amounts";
import { SeverityChoice } from "../../parts/alarms/SeverityChoice";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { TEST_IDS } from "../../testIds";
import { AcknowledgeDialog } from "./AcknowledgeDialog";
import { AlarmTable } from "./AlarmTable";
import { SilenceDialog } from "./SilenceDialog";
import { SilencePanel } from "./SilencePanel";

const route = getRouteApi("/in/alarms");
const STATES: readonly AlarmState[] = ["firing", "pending", "recovering", "suppressed", "no_data"];
/** Later than this, what the page shows is not what is. */
const LATE_S = 60;

/** What fires, is about to, or is kept quiet; and what silences hold. */
export default function AlarmsPage() {
  const { t } = useWords();
  const { severity, state } = route.useSearch();
  const navigate = route.useNavigate();
  const alarms = useQuery(alarmsQuery);
  const summary = useQuery(alarmSummaryQuery);
  const [acknowledging, setAcknowledging] = useState<Alarm | null>(null);
  const [silencing, setSilencing] = useState<Alarm | null>(null);
  const change = (next: { severity?: Severity; state?: AlarmState }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Page
      title={t("nav.alarms")}
      tools={
        <>
          <AlarmTabs />
          <SeverityChoice severity={severity} onChange={(next) => change({ severity: next })} />
          <Select
            size="xs"
            w={150}
            clearable
            aria-label={t("alarms.state")}
            placeholder={t("alarms.state")}
            value={state ?? null}
            onChange={(next) => change({ state: (next ?? undefined) as AlarmState | undefined })}
            data={STATES.map((one) => ({ value: one, label: t(`alarms.state.${one}`) }))}
          />
        </>
      }
    >
      {summary.data && <Trouble summary={summary.data} />}
      <Loaded query={alarms} skeleton={<TableSkeleton />}>
        {(all) => {
          const shown = all.filter(
            (alarm) => (!severity || alarm.severity === severity) && (!state || alarm.state === state),
          );
          return (
            <Panel flush testId={TEST_IDS.alarmsTable}>
              {all.length === 0 ? (
                <Empty title={t("alarms.now.well")}>
                  {t("alarms.now.wellHint")}{" "}
                  <Link to="/alarms/rules" className="link">
                    {t("alarms.tab.rules")}
                  </Link>
                </Empty>
              ) : shown.length === 0 ? (
                <Empty title={t("alarms.now.noMatch")} />
              ) : (
                <AlarmTable alarms={shown} onSilence={setSilencing} onAcknowledge={setAcknowledging} />
              )}
            </Panel>
          );
        }}
      </Loaded>
      <SilencePanel />
      {acknowledging && <AcknowledgeDialog alarm={acknowledging} onClose={() => setAcknowledging(null)} />}
      {silencing && <SilenceDialog alarm={silencing} onClose={() => setSilencing(null)} />}
    </Page>
  );
}

function Trouble({ summary: { evaluation } }: { summary: AlarmSummary }) {
  const { t } = useWords();
  const said = evaluation.trouble
    ? t("alarms.trouble", { problem: evaluation.trouble })
    : evaluation.behind_s > LATE_S
      ? t("alarms.behind", { duration: lasting(Math.round(evaluation.behind_s)) })
      : "";
  if (!said) return null;
  return (
    <div role="status">
      <HealthMark health="warn" label={said} /> {said}
    </div>
  );
}
