import { useMemo } from "react";

import type { ServiceReport } from "../../api/types";
import { count, duration, rate } from "../../domain/format";
import { ratesOf, timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { type Series, type TimeMark, TimeSeries } from "../../parts/TimeSeries";
import classes from "./ServicePage.module.css";

interface Props {
  report: ServiceReport;
  marks: readonly TimeMark[];
  onSelect: (from: number, to: number) => void;
}

/** Traffic, errors and latency side by side under one cursor; dragging chooses a time for the whole page. */
export function ServiceCharts({ report, marks, onSelect }: Props) {
  const { t } = useWords();
  const { series } = report;
  const times = useMemo(() => timesOf(series), [series]);
  const traffic = useMemo<Series[]>(
    () => [
      {
        label: t("figure.requests"),
        colour: "accent",
        style: "area",
        values: ratesOf(series),
      },
    ],
    [series, t],
  );
  const errors = useMemo<Series[]>(
    () => [{ label: t("figure.errors"), colour: "error", style: "bars", values: series.map((point) => point.errors) }],
    [series, t],
  );
  const latency = useMemo<Series[]>(
    () => [
      { label: "p50", colour: "p50", style: "line", values: series.map(({ p50_ms }) => p50_ms) },
      { label: "p95", colour: "p95", style: "line", values: series.map(({ p95_ms }) => p95_ms) },
      { label: "p99", colour: "p99", style: "line", values: series.map(({ p99_ms }) => p99_ms) },
    ],
    [series],
  );
  const shared = {
    times,
    from: new Date(report.from).getTime(),
    to: new Date(report.to).getTime(),
    sync: "service",
    marks,
    onSelect,
  };
  return (
    <div className={classes.charts}>
      <TimeSeries title={t("figure.traffic")} series={traffic} format={rate} {...shared} />
      <TimeSeries title={t("figure.errors")} series={errors} format={count} steps="whole" {...shared} />
      <TimeSeries title={t("figure.latency")} series={latency} format={duration} {...shared} />
    </div>
  );
}
