import { useMemo } from "react";

import type { NodeReport, NodeSample } from "../../api/nodesTypes";
import { bytes, bytesPerSecond, count, percent, plain, type Quantity, rate } from "../../domain/format";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { stackedOf } from "../../parts/stacked";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import { TEST_IDS } from "../../testIds";
import classes from "./NodePage.module.css";

interface Line {
  label: Key;
  of: Exclude<keyof NodeSample, "time"> | ((sample: NodeSample) => number | null);
  colour: Series["colour"];
  /** `stacked`: on what stands before it. */
  style: Series["style"];
}

interface Chart {
  title: Key;
  format: (value: number | null) => Quantity;
  top?: number;
  steps?: "binary" | "whole";
  lines: Line[];
}

const sum = (a: number | null, b: number | null) => (a === null && b === null ? null : (a ?? 0) + (b ?? 0));

const CPU: Chart = {
  title: "nodes.cpu",
  format: percent,
  top: 1,
  lines: [
    { label: "nodes.cpu.user", of: "cpu_user", colour: "accent", style: "stacked" },
    { label: "nodes.cpu.system", of: "cpu_system", colour: "p99", style: "stacked" },
    { label: "nodes.cpu.iowait", of: "cpu_iowait", colour: "warn", style: "stacked" },
    {
      label: "nodes.cpu.other",
      of: (sample) => sum(sample.cpu_other, sample.cpu_steal),
      colour: "idle",
      style: "stacked",
    },
  ],
};

/** Of hosts that do not tell what the time went into. */
const WHOLE_CPU: Chart = {
  ...CPU,
  lines: [{ label: "nodes.used", of: "cpu_utilization", colour: "accent", style: "area" }],
};

const CHARTS: readonly Chart[] = [
  {
    title: "nodes.load",
    format: (value) => plain(value, 2),
    lines: [{ label: "nodes.load", of: "load_1m", colour: "p99", style: "line" }],
  },
  {
    title: "nodes.memory",
    format: bytes,
    steps: "binary",
    lines: [
      { label: "nodes.used", of: "memory_used_bytes", colour: "accent", style: "area" },
      { label: "nodes.cached", of: "memory_cached_bytes", colour: "p95", style: "line" },
      { label: "nodes.swap", of: "swap_used_bytes", colour: "warn", style: "line" },
    ],
  },
  {
    title: "nodes.network",
    format: bytesPerSecond,
    steps: "binary",
    lines: [
      { label: "nodes.received", of: "network_receive_bytes_per_s", colour: "p95", style: "line" },
      { label: "nodes.sent", of: "network_transmit_bytes_per_s", colour: "p99", style: "line" },
    ],
  },
  {
    title: "nodes.networkErrors",
    format: rate,
    lines: [{ label: "figure.errors", of: "network_errors_per_s", colour: "error", style: "line" }],
  },
  {
    title: "nodes.io",
    format: bytesPerSecond,
    steps: "binary",
    lines: [
      { label: "nodes.read", of: "disk_read_bytes_per_s", colour: "p95", style: "line" },
      { label: "nodes.written", of: "disk_write_bytes_per_s", colour: "p99", style: "line" },
    ],
  },
  {
    title: "nodes.disk",
    format: percent,
    top: 1,
    lines: [
      { label: "nodes.used", of: "filesystem_used", colour: "ok", style: "area" },
      { label: "nodes.inodes", of: "inodes_used", colour: "p99", style: "line" },
    ],
  },
  {
    title: "nodes.fileHandles",
    format: count,
    steps: "whole",
    lines: [{ label: "nodes.open", of: "file_handles", colour: "p95", style: "line" }],
  },
  {
    title: "nodes.queue",
    format: bytes,
    steps: "binary",
    lines: [{ label: "nodes.queue.waiting", of: "agent_queue_bytes", colour: "warn", style: "area" }],
  },
];

interface Props {
  report: NodeReport;
  onSelect: (from: number, to: number) => void;
}

/** Steps in which nothing was measured are gaps. */
export function NodeCharts({ report, onSelect }: Props) {
  const { t } = useWords();
  const { series } = report;
  const times = useMemo(() => timesOf(series), [series]);
  const charts = useMemo(() => {
    const toldByMode = series.some(({ cpu_user }) => cpu_user !== null);
    return [toldByMode ? CPU : WHOLE_CPU, ...CHARTS].map((chart) => {
      const lines = chart.lines.map<Series>(({ label, of, colour, style }) => ({
        label: t(label),
        colour,
        style,
        values: series.map((sample) => (typeof of === "function" ? of(sample) : sample[of])),
      }));
      return { ...chart, series: lines[0]?.style === "stacked" ? stackedOf(lines) : lines };
    });
  }, [series, t]);
  return (
    <div className={classes.charts} data-testid={TEST_IDS.nodeCharts}>
      {charts.map((chart) => (
        <TimeSeries
          key={chart.title}
          title={t(chart.title)}
          times={times}
          series={chart.series}
          format={chart.format}
          top={chart.top}
          steps={chart.steps}
          from={new Date(report.from).getTime()}
          to={new Date(report.to).getTime()}
          sync="node"
          onSelect={onSelect}
        />
      ))}
    </div>
  );
}
