import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsSystemQuery } from "../../api/nodejs";
import type { NodejsSystem, NodejsSystemSample } from "../../api/nodejsTypes";
import { bytes, count, duration, percent, plain, type Quantity, rate, text } from "../../domain/format";
import { compacted, perSecond } from "../../domain/reported";
import { type Translate, useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import { useRange } from "../../shell/useRange";
import classes from "./NodejsInstancePage.module.css";

type Values = (number | null)[];

interface Chart {
  title: string;
  format: (value: number | null) => Quantity;
  top?: number;
  steps?: "binary" | "whole";
  /** Counts of steps, drawn as rates. */
  isRate?: true;
  times: number[];
  series: Series[];
}

/** The host or container over time, and all its Node.js processes together. */
export function SystemCharts({ name }: { name: { app: string; agent: string } }) {
  const { t } = useWords();
  const { range, zoomTo } = useRange();
  const system = useQuery(nodejsSystemQuery(name, range));
  return (
    <Loaded query={system} skeleton={<ReportSkeleton />}>
      {(data) =>
        data.series.every(isSilent) && !data.latest ? (
          <Panel>
            <Empty title={t("nodejs.noSystem")}>{t("nodejs.noSystem.hint")}</Empty>
          </Panel>
        ) : (
          <>
            <Figures system={data} />
            <Charts system={data} onSelect={zoomTo} />
          </>
        )
      }
    </Loaded>
  );
}

const isSilent = ({ time: _time, disks, ...figures }: NodejsSystemSample) =>
  Object.keys(disks).length === 0 && Object.values(figures).every((value) => value === null);

function Figures({ system: { latest, cpus } }: { system: NodejsSystem }) {
  const { t } = useWords();
  if (!latest) return null;
  const { memory_used_bytes: used, memory_total_bytes: total } = latest;
  return (
    <FigureRow>
      <Figure label={t("nodes.cpu")} of={percent(latest.cpu_utilization)}>
        {cpus !== null && t("nodes.cores", { count: cpus })}
      </Figure>
      <Figure label={t("nodes.load")} of={plain(latest.load_1m, 2)}>
        {t("nodes.load.hint")}
      </Figure>
      <Figure label={t("nodes.memory")} of={percent(used !== null && total ? used / total : null)}>
        {used !== null && t("nodes.of", { used: text(bytes(used)), total: text(bytes(total)) })}
      </Figure>
      <Figure label={t("nodejs.processes")} of={count(latest.node_processes)}>
        {t("nodejs.agentIncluded")}
      </Figure>
    </FigureRow>
  );
}

function Charts({ system, onSelect }: { system: NodejsSystem; onSelect: (from: number, to: number) => void }) {
  const { t } = useWords();
  const charts = useMemo(() => chartsOf(t, system), [t, system]);
  return (
    <div className={classes.charts}>
      {charts.map((chart) => (
        <TimeSeries
          key={chart.title}
          {...chart}
          from={new Date(system.from).getTime()}
          to={new Date(system.to).getTime()}
          sync="nodejs-system"
          onSelect={onSelect}
        />
      ))}
    </div>
  );
}

interface Line extends Pick<Series, "label" | "colour"> {
  values: Values;
  area?: true;
}

function chartsOf(t: Translate, { series, step_s, to }: NodejsSystem): Chart[] {
  const times = series.map(({ time }) => new Date(time).getTime() / 1000);
  const end = new Date(to).getTime() / 1000;
  const of = (key: Exclude<keyof NodejsSystemSample, "time" | "disks">): Values => series.map((sample) => sample[key]);
  const mounts = [...new Set(series.flatMap(({ disks }) => Object.keys(disks)))].sort();
  /** Hosts report at other times than their processes: each chart has times of its own. */
  const chart = (title: string, format: Chart["format"], lines: readonly Line[], more: Partial<Chart> = {}): Chart => {
    const columns = lines.map(({ values }) => values);
    const reported = compacted(times, columns, step_s);
    return {
      title,
      format,
      times: reported.times,
      series: lines.map(({ label, colour, area }, column) => {
        const values = reported.values[column] ?? [];
        const drawn = more.isRate ? perSecond(values, { ...reported, end }) : values;
        return { label, colour, style: area ? "area" : "line", values: drawn };
      }),
      ...more,
    };
  };
  const whole = (value: number | null) => count(value);
  return [
    chart(
      t("nodes.cpu"),
      percent,
      [{ label: t("nodes.used"), values: of("cpu_utilization"), colour: "accent", area: true }],
      { top: 1 },
    ),
    chart(t("nodes.load"), (value) => plain(value, 2), [
      { label: "1 min", values: of("load_1m"), colour: "p99" },
      { label: "5 min", values: of("load_5m"), colour: "p95" },
      { label: "15 min", values: of("load_15m"), colour: "p50" },
    ]),
    chart(
      t("nodes.memory"),
      bytes,
      [
        { label: t("nodes.used"), values: of("memory_used_bytes"), colour: "accent", area: true },
        { label: t("nodejs.total"), values: of("memory_total_bytes"), colour: "faint" },
      ],
      { steps: "binary" },
    ),
    chart(
      t("nodes.disks"),
      percent,
      mounts.map((mount, colour) => ({
        label: mount,
        values: series.map(({ disks }) => disks[mount] ?? null),
        colour,
      })),
      { top: 1 },
    ),
    chart(
      t("figure.traffic"),
      rate,
      [
        { label: t("nodejs.answered"), values: of("requests"), colour: "accent", area: true },
        { label: t("nodejs.expired"), values: of("requests_expired"), colour: "error" },
      ],
      { isRate: true },
    ),
    chart(t("nodejs.latency"), duration, [
      { label: t("figure.average"), values: of("response_average_ms"), colour: "p95" },
    ]),
    chart(t("nodejs.gcTime"), duration, [
      { label: t("nodejs.gcAll"), values: of("gc_ms"), colour: "accent" },
      { label: t("gc.type.scavenge"), values: of("scavenge_ms"), colour: 1 },
      { label: t("gc.type.marksweep"), values: of("marksweep_ms"), colour: 3 },
    ]),
    chart(
      t("nodejs.processes"),
      whole,
      [{ label: t("nodejs.processes"), values: of("node_processes"), colour: "accent", area: true }],
      { steps: "whole" },
    ),
  ];
}
