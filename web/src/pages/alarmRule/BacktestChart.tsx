import { Select } from "@mantine/core";
import { useMemo, useState } from "react";

import type { AlarmBacktest, AlarmBacktestGroup, AlarmRuleDocument } from "../../api/alarmsTypes";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { amountOf, groupText } from "../../parts/alarms/amounts";
import { Blocks } from "../../parts/alarms/Blocks";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import classes from "./RuleEditor.module.css";

interface Props {
  found: AlarmBacktest;
  /** That was tried. */
  rule: AlarmRuleDocument;
}

const keyOf = ({ group }: AlarmBacktestGroup) => JSON.stringify(group);

/** Value against threshold of one group, and below it when it would have fired. */
export function BacktestChart({ found, rule }: Props) {
  const { t } = useWords();
  const drawn = found.groups.filter(({ series }) => series.length > 0);
  const [chosen, setChosen] = useState("");
  const group = drawn.find((one) => keyOf(one) === chosen) ?? drawn[0];
  const series = group?.series;
  const times = useMemo(() => timesOf(series ?? []), [series]);
  const lines = useMemo<Series[]>(
    () => [
      {
        label: t("alarms.value"),
        colour: "accent",
        style: "line",
        values: (series ?? []).map(({ value }) => value),
      },
      {
        label: t("alarms.threshold"),
        colour: "error",
        style: "line",
        values: (series ?? []).map(({ threshold }) => threshold),
      },
    ],
    [series, t],
  );
  if (!group) return null;
  // before the first data there is nothing to see, and what is would be squeezed
  const from = new Date(found.data_from ?? found.from).getTime();
  const to = new Date(found.to).getTime();
  return (
    <div>
      {drawn.length > 1 && (
        <Select
          size="xs"
          mb={8}
          label={t("alarms.try.group")}
          allowDeselect={false}
          searchable
          limit={100}
          value={keyOf(group)}
          onChange={(next) => next && setChosen(next)}
          data={drawn.map((one) => ({
            value: keyOf(one),
            label: `${groupText(one.group)} (${one.fired})`,
          }))}
        />
      )}
      <TimeSeries
        title={groupText(group.group) || rule.name}
        times={times}
        series={lines}
        format={amountOf(found.unit, rule.what)}
        from={from}
        to={to}
        height={230}
        sync="backtest"
      />
      <div className={classes.strip}>
        <Blocks
          label={t("alarms.try.blocks")}
          intervals={group.intervals.map((one) => ({ ...one, severity: rule.severity }))}
          from={from}
          to={to}
        />
      </div>
    </div>
  );
}
