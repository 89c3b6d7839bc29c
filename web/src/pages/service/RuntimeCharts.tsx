import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { runtimeQuery } from "../../api/queries";
import type { RuntimeReport, RuntimeSample } from "../../api/types";
import { duration, plain, type Quantity } from "../../domain/format";
import type { Range } from "../../domain/range";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import { TEST_IDS } from "../../testIds";
import classes from "./ServicePage.module.css";

interface Line {
  label: Key;
  of: Exclude<keyof RuntimeSample, "time">;
  colour: Series["colour"];
}

interface Chart {
  title: Key;
  format: (value: number | null) => Quantity;
  lines: Line[];
}

const amount = (value: number | null) => plain(value, 1);

const CHARTS: readonly Chart[] = [
  {
    title: "runtime.work",
    format: amount,
    lines: [
      { label: "runtime.active", of: "requests_active", colour: "accent" },
      { label: "runtime.threads", of: "threads", colour: "p99" },
      { label: "runtime.queued", of: "thread_pool_queued", colour: "warn" },
    ],
  },
  {
    title: "runtime.pauses",
    format: duration,
    lines: [
      { label: "runtime.loop", of: "event_loop_lag_max_ms", colour: "p99" },
      { label: "runtime.gc", of: "gc_pause_max_ms", colour: "warn" },
      { label: "runtime.gil", of: "gil_wait_max_ms", colour: "accent" },
    ],
  },
];

interface Props {
  service: string;
  range: Range;
  onSelect: (from: number, to: number) => void;
}

/** How the interpreters of a service are doing; nothing where none of them tells, as with other agents. */
export function RuntimeCharts({ service, range, onSelect }: Props) {
  const report = useQuery(runtimeQuery(service, range));
  return report.data?.instances ? <Charts report={report.data} onSelect={onSelect} /> : null;
}

function Charts({ report, onSelect }: { report: RuntimeReport; onSelect: Props["onSelect"] }) {
  const { t } = useWords();
  const { series } = report;
  const times = useMemo(() => timesOf(series), [series]);
  const charts = useMemo(
    () =>
      CHARTS.map((chart) => ({
        ...chart,
        series: chart.lines
          .map<Series>(({ label, of, colour }) => ({
            label: t(label),
            colour,
            style: "line",
            values: series.map((sample) => sample[of]),
          }))
          .filter(({ values }) => values.some((value) => value !== null)),
      })),
    [series, t],
  );
  return (
    <div className={classes.pair} data-testid={TEST_IDS.runtimeCharts}>
      {charts.map((chart) => (
        <TimeSeries
          key={chart.title}
          title={t(chart.title)}
          times={times}
          series={chart.series}
          format={chart.format}
          from={new Date(report.from).getTime()}
          to={new Date(report.to).getTime()}
          sync="service"
          onSelect={onSelect}
        />
      ))}
    </div>
  );
}
