import { useMemo } from "react";

import type { SlowReport } from "../../api/slowTypes";
import { count, duration } from "../../domain/format";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import classes from "./SlowGroupPage.module.css";

interface Props {
  report: SlowReport;
  onSelect: (from: number, to: number) => void;
}

/** How often and how long, under one cursor. */
export function CallCharts({ report, onSelect }: Props) {
  const { t } = useWords();
  const { series } = report;
  const times = useMemo(() => timesOf(series), [series]);
  const calls = useMemo<Series[]>(
    () => [
      { label: t("slow.calls"), colour: "accent", style: "bars", values: series.map((point) => point.calls) },
      { label: t("figure.errors"), colour: "error", style: "bars", values: series.map((point) => point.errors) },
    ],
    [series, t],
  );
  const latency = useMemo<Series[]>(
    () => [
      { label: t("figure.average"), colour: "p50", style: "line", values: series.map(({ average_ms }) => average_ms) },
      { label: "p95", colour: "p95", style: "line", values: series.map(({ p95_ms }) => p95_ms) },
      { label: t("figure.max"), colour: "p99", style: "line", values: series.map(({ max_ms }) => max_ms) },
    ],
    [series, t],
  );
  const shared = {
    times,
    from: new Date(report.from).getTime(),
    to: new Date(report.to).getTime(),
    sync: "slow",
    onSelect,
  };
  return (
    <div className={classes.charts}>
      <TimeSeries title={t("slow.calls")} series={calls} format={count} steps="whole" {...shared} />
      <TimeSeries title={t("figure.latency")} series={latency} format={duration} {...shared} />
    </div>
  );
}
