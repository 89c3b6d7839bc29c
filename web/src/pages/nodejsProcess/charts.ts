/** The charts of a process and the metrics that each draws, in xprofiler's words. */

import { bytes, count, duration, percent, type Quantity, rate } from "../../domain/format";
import { growthOf, perSecond, type Reported } from "../../domain/reported";
import type { Key } from "../../i18n/en";
import { stackedOf } from "../../parts/stacked";
import type { Series } from "../../parts/TimeSeries";

type Values = (number | null)[];

/** `end`: of the charts, in epoch seconds. */
export type Drawn = Reported & { end: number };

export interface ProcessChart {
  title: Key;
  metrics: readonly string[];
  format: (value: number | null) => Quantity;
  steps?: "binary" | "whole";
  /** Worker threads have none of it. */
  ofProcess?: true;
  lines: (reported: Drawn, t: (key: Key) => string, metrics: readonly string[]) => Series[];
}

const WINDOWS: readonly [metric: string, label: string][] = [
  ["cpu_now", "now"],
  ["cpu_15", "15 s"],
  ["cpu_30", "30 s"],
  ["cpu_60", "1 min"],
  ["cpu_180", "3 min"],
  ["cpu_300", "5 min"],
  ["cpu_600", "10 min"],
];
const SPACES = ["old", "new", "lo", "new_lo", "code", "code_lo", "read_only"];

const line = (label: string, values: Values, colour: Series["colour"]): Series => ({
  label,
  values,
  colour,
  style: "line",
});
const at = ({ values }: Reported, metric: number): Values => values[metric] ?? [];
const ofCore = (value: number | null) => percent(value === null ? null : value / 100);
const whole = (value: number | null) => count(value);

export const PROCESS_CHARTS: readonly ProcessChart[] = [
  {
    title: "nodejs.chart.cpu",
    metrics: WINDOWS.map(([metric]) => metric),
    format: ofCore,
    ofProcess: true,
    lines: (reported, t) =>
      WINDOWS.map(([metric, label], index) =>
        line(metric === "cpu_now" ? t("nodejs.now") : label, at(reported, index), index),
      ),
  },
  {
    title: "nodejs.chart.memory",
    metrics: ["rss", "heap_total", "heap_used", "amount_of_external_allocated_memory"],
    format: bytes,
    steps: "binary",
    lines: (reported, t) => [
      line("RSS", at(reported, 0), "p99"),
      line(t("nodejs.heapTotal"), at(reported, 1), "p95"),
      { label: t("nodejs.heapUsed"), values: at(reported, 2), colour: "accent", style: "area" },
      line(t("nodejs.external"), at(reported, 3), "warn"),
    ],
  },
  {
    title: "nodejs.chart.spaces",
    metrics: SPACES.map((space) => `${space}_space_used`),
    format: bytes,
    steps: "binary",
    lines: (reported) =>
      stackedOf(
        SPACES.map((space, index) => ({
          label: space.replaceAll("_", " "),
          values: at(reported, index),
          colour: index,
        })).filter(({ values }) => values.some((value) => (value ?? 0) > 0)),
      ),
  },
  {
    title: "nodejs.chart.gcPauses",
    metrics: [
      "gc_time_during_last_record",
      "scavange_duration_last_record",
      "marksweep_duration_last_record",
      "incremental_marking_duration_last_record",
    ],
    format: duration,
    lines: (reported, t) => [
      line(t("nodejs.gcAll"), at(reported, 0), "accent"),
      line(t("gc.type.scavenge"), at(reported, 1), 1),
      line(t("gc.type.marksweep"), at(reported, 2), 3),
      line(t("gc.type.marking"), at(reported, 3), 5),
    ],
  },
  {
    title: "nodejs.chart.gcCounts",
    metrics: ["total_gc_times"],
    format: whole,
    steps: "whole",
    lines: (reported, t) => [
      { label: t("gc.collections"), values: growthOf(at(reported, 0)), colour: "accent", style: "bars" },
    ],
  },
  {
    title: "nodejs.chart.handles",
    metrics: [
      "active_handles",
      "active_tcp_handles",
      "active_udp_handles",
      "active_timer_handles",
      "active_file_handles",
    ],
    format: whole,
    steps: "whole",
    lines: (reported, t) => [
      line(t("nodejs.all"), at(reported, 0), "accent"),
      line("TCP", at(reported, 1), 1),
      line("UDP", at(reported, 2), 2),
      line(t("nodejs.timers"), at(reported, 3), 3),
      line(t("nodejs.fileHandles"), at(reported, 4), 4),
    ],
  },
  {
    title: "nodejs.chart.referenced",
    metrics: [
      "active_and_ref_tcp_handles",
      "active_and_ref_udp_handles",
      "active_and_ref_timer_handles",
      "active_and_ref_file_handles",
    ],
    format: whole,
    steps: "whole",
    lines: (reported, t) => [
      line("TCP", at(reported, 0), 1),
      line("UDP", at(reported, 1), 2),
      line(t("nodejs.timers"), at(reported, 2), 3),
      line(t("nodejs.fileHandles"), at(reported, 3), 4),
    ],
  },
  {
    title: "nodejs.chart.requests",
    metrics: ["live_http_request", "http_response_sent", "http_response_close", "http_request_timeout"],
    format: rate,
    lines: (reported, t) => {
      const rates = (metric: number) => perSecond(at(reported, metric), reported);
      return [
        line(t("nodejs.begun"), rates(0), "p95"),
        line(t("nodejs.answered"), rates(1), "accent"),
        line(t("nodejs.closed"), rates(2), "warn"),
        line(t("nodejs.expired"), rates(3), "error"),
      ];
    },
  },
  {
    title: "nodejs.latency",
    metrics: ["http_rt"],
    format: duration,
    lines: (reported, t) => [line(t("figure.average"), at(reported, 0), "p95")],
  },
  {
    title: "service.statusCodes",
    metrics: ["res__*"],
    format: rate,
    lines: (reported, _t, metrics) =>
      stackedOf(
        metrics.map((metric, index) => ({
          label: metric.replace(/^res__/, ""),
          values: perSecond(at(reported, index), reported),
          colour: colourOfCode(metric, index),
        })),
      ),
  },
];

const EVERY_CODE = "res__*";

function colourOfCode(metric: string, index: number): Series["colour"] {
  const group = metric.charAt("res__".length);
  return group === "5" ? "error" : group === "4" ? "warn" : group === "2" ? "ok" : index;
}

export const EVERY_METRIC = PROCESS_CHARTS.flatMap(({ metrics }) => metrics);

/** `res__*` stands for the codes that there are. */
export const metricsOf = ({ metrics }: ProcessChart, known: readonly string[]): string[] =>
  metrics.flatMap((metric) => (metric === EVERY_CODE ? known.filter((one) => /^res__/.test(one)).sort() : [metric]));
