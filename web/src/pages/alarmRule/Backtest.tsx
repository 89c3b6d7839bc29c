import { Button, Group, Select, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { alarmsApi } from "../../api/alarms";
import type { AlarmBacktest, AlarmRuleDocument } from "../../api/alarmsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { lasting, said } from "../../parts/alarms/amounts";
import { Failed } from "../../parts/alarms/Failed";
import { HealthMark } from "../../parts/HealthMark";
import { Panel } from "../../parts/Panel";
import { ChartSkeleton } from "../../parts/Skeletons";
import { TEST_IDS } from "../../testIds";
import { BacktestChart } from "./BacktestChart";

const DAYS = ["1", "3", "7", "14"] as const;

interface Props {
  app: string;
  rule: AlarmRuleDocument;
  onThreshold: (threshold: number, recovery_threshold: number) => void;
}

interface Tried {
  rule: AlarmRuleDocument;
  days: number;
  found: AlarmBacktest;
}

/** What a rule would have done over stored history, before anybody is woken by it. */
export function Backtest({ app, rule, onThreshold }: Props) {
  const { t } = useWords();
  const [days, setDays] = useState<string>("14");
  const trial = useMutation({
    mutationFn: async (): Promise<Tried> => {
      const tried = { rule, days: Number(days) };
      return { ...tried, found: await alarmsApi.backtest(app, rule, tried.days) };
    },
  });
  return (
    <Stack gap="sm">
      <Panel title={t("alarms.try.title")} testId={TEST_IDS.backtest}>
        <Stack gap="xs">
          <span className="muted">{t("alarms.try.hint")}</span>
          <Group gap="xs" align="end">
            <Select
              size="xs"
              w={90}
              label={t("alarms.try.days")}
              allowDeselect={false}
              value={days}
              onChange={(next) => next && setDays(next)}
              data={[...DAYS]}
            />
            <Button
              size="xs"
              variant="default"
              loading={trial.isPending}
              onClick={() => trial.mutate()}
              data-testid={TEST_IDS.backtestRun}
            >
              {t("alarms.try.run", { days })}
            </Button>
          </Group>
          <Failed error={trial.error} />
          {trial.data && <Outcome tried={trial.data} current={rule} onThreshold={onThreshold} />}
        </Stack>
      </Panel>
      {trial.isPending && !trial.data && <ChartSkeleton height={220} />}
      {trial.data && <BacktestChart found={trial.data.found} rule={trial.data.rule} />}
    </Stack>
  );
}

interface OutcomeProps {
  tried: Tried;
  current: AlarmRuleDocument;
  onThreshold: Props["onThreshold"];
}

function Outcome({ tried: { rule, days, found }, current, onThreshold }: OutcomeProps) {
  const { t } = useWords();
  const { suggestion, unit } = found;
  return (
    <>
      <b data-testid={TEST_IDS.backtestFired}>
        {found.data_from === null
          ? t("alarms.try.noData")
          : found.fired === 0
            ? t("alarms.try.never", { days })
            : t("alarms.try.fired", { count: found.fired, days, duration: lasting(found.firing_s) })}
      </b>
      {found.data_from !== null && found.data_from > found.from && (
        <span className="muted">{t("alarms.try.dataFrom", { time: moment(found.data_from, "minute") })}</span>
      )}
      {found.groups_dropped > 0 && (
        <span className="muted">{t("alarms.try.dropped", { count: found.groups_dropped })}</span>
      )}
      {rule !== current && (
        <span>
          <HealthMark health="warn" label={t("alarms.try.stale")} /> {t("alarms.try.stale")}
        </span>
      )}
      {suggestion && (
        <Group gap="xs">
          <Button
            size="compact-xs"
            variant="light"
            title={suggestion.formula}
            onClick={() => onThreshold(suggestion.threshold, suggestion.recovery_threshold)}
            data-testid={TEST_IDS.backtestSuggested}
          >
            {t("alarms.try.suggest", { threshold: said(suggestion.threshold, unit, rule.what) })}
          </Button>
          <span className="muted">{t("alarms.try.suggestHint", { count: suggestion.fired })}</span>
        </Group>
      )}
    </>
  );
}
