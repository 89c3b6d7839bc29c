import { Checkbox, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { alarmHistoryQuery, type HistoryFilter, rulesQuery } from "../../api/alarms";
import { useWords } from "../../i18n";
import { AlarmTabs } from "../../parts/alarms/AlarmTabs";
import { SeverityChoice } from "../../parts/alarms/SeverityChoice";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { IntervalTable } from "./IntervalTable";
import { Timeline } from "./Timeline";

const route = getRouteApi("/in/alarms/history");

/** What fired in the chosen time: a strip of blocks for each rule, and each interval with its figures. */
export default function AlarmHistoryPage() {
  const { t } = useWords();
  const { rule_id, severity, open, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const { range } = useRange();
  const history = useQuery(alarmHistoryQuery({ rule_id, severity, open }, range));
  const rules = useQuery(rulesQuery);
  const change = (next: HistoryFilter & { sort?: string }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const known = rules.data?.map(({ id, rule }) => ({ value: id, label: rule.name })) ?? [];
  const gone = rule_id && !known.some(({ value }) => value === rule_id) ? [{ value: rule_id, label: rule_id }] : [];
  return (
    <Page
      title={`${t("nav.alarms")} · ${t("alarms.tab.history")}`}
      tools={
        <>
          <AlarmTabs />
          <SeverityChoice severity={severity} onChange={(next) => change({ severity: next })} />
          <Select
            size="xs"
            w={220}
            maw="100%"
            clearable
            searchable
            limit={100}
            aria-label={t("alarms.rule")}
            placeholder={t("alarms.rule")}
            value={rule_id ?? null}
            onChange={(next) => change({ rule_id: next ?? undefined })}
            data={[...known, ...gone]}
          />
          <Checkbox
            size="xs"
            label={t("alarms.history.open")}
            checked={open === true}
            onChange={(event) => change({ open: event.currentTarget.checked || undefined })}
          />
        </>
      }
    >
      <Loaded query={history} skeleton={<TableSkeleton />}>
        {({ intervals, from, to }) =>
          intervals.length === 0 ? (
            <Panel flush>
              <Empty title={t("alarms.history.none")} />
            </Panel>
          ) : (
            <>
              <Panel title={t("alarms.history.timeline")} testId={TEST_IDS.alarmTimeline}>
                <Timeline intervals={intervals} from={from} to={to} onRule={(id) => change({ rule_id: id })} />
              </Panel>
              <Panel flush testId={TEST_IDS.alarmIntervals}>
                <IntervalTable intervals={intervals} sort={sort} onSort={(next) => change({ sort: next })} />
              </Panel>
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
