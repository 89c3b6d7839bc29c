import { useMemo } from "react";

import type { NodeReport, NodeSample } from "../../api/types";
import { bytes, bytesPerSecond, percent, plain, type Quantity } from "../../domain/format";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import { TEST_IDS } from "../../testIds";
import classes from "./NodePage.module.css";

interface Line {
  label: Key;
  of: Exclude<keyof NodeSample, "time">;
  colour: Series["colour"];
  style: Series["style"];
}

interface Chart {
  title: Key;
  format: (value: number | null) => Quantity;
  top?: number;
  steps?: "binary";
  lines: Line[];
}

const CHARTS: readonly Chart[] = [
  {
    title: "nodes.cpu",
    format: percent,
    top: 1,
    lines: [{ label: "nodes.used", of: "cpu_utilization", colour: "accent", style: "area" }],
  },
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
    lines: [{ label: "nodes.used", of: "filesystem_used", colour: "ok", style: "area" }],
  },
];

interface Props {
  report: NodeReport;
  onSelect: (from: number, to: number) => void;
}

export function NodeCharts({ report, onSelect }: Props) {
  const { t } = useWords();
  const { series } = report;
  const times = useMemo(() => timesOf(series), [series]);
  const charts = useMemo(
    () =>
      CHARTS.map((chart) => ({
        ...chart,
        series: chart.lines.map<Series>(({ label, of, colour, style }) => ({
          label: t(label),
          colour,
          style,
          values: series.map((sample) => sample[of]),
        })),
      })),
    [series, t],
  );
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
