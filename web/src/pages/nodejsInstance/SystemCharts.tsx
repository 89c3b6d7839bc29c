import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsSystemQuery } from "../../api/nodejs";
import type { NodejsSystem, NodejsSystemSample } from "../../api/nodejsTypes";
import { bytes, count, duration, percent, plain, type Quantity, rate, text } from "../../domain/format";
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
  const { times, charts } = useMemo(() => {
    const told = system.series.filter((sample) => !isSilent(sample));
    return { times: told.map(({ time }) => new Date(time).getTime() / 1000), charts: chartsOf(t, told, system.step_s) };
  }, [t, system]);
  return (
    <div className={classes.charts}>
      {charts.map((chart) => (
        <TimeSeries
          key={chart.title}
          {...chart}
          times={times}
          from={new Date(system.from).getTime()}
          to={new Date(system.to).getTime()}
          sync="nodejs-system"
          onSelect={onSelect}
        />
      ))}
    </div>
  );
}

/** Agents report each minute, so a shorter step holds a minute's count. */
const REPORT_S = 60;

function chartsOf(t: Translate, told: readonly NodejsSystemSample[], step_s: number): Chart[] {
  const seconds = Math.max(REPORT_S, step_s);
  const of = (key: Exclude<keyof NodejsSystemSample, "time" | "disks">): Values => told.map((sample) => sample[key]);
  const rates = (key: "requests" | "requests_expired") =>
    of(key).map((value) => (value === null ? null : value / seconds));
  const mounts = [...new Set(told.flatMap(({ disks }) => Object.keys(disks)))].sort();
  const line = (label: string, values: Values, colour: Series["colour"]): Series => ({
    label,
    values,
    colour,
    style: "line",
  });
  const area = (label: string, values: Values): Series => ({ label, values, colour: "accent", style: "area" });
  return [
    { title: t("nodes.cpu"), format: percent, top: 1, series: [area(t("nodes.used"), of("cpu_utilization"))] },
    {
      title: t("nodes.load"),
      format: (value) => plain(value, 2),
      series: [
        line("1 min", of("load_1m"), "p99"),
        line("5 min", of("load_5m"), "p95"),
        line("15 min", of("load_15m"), "p50"),
      ],
    },
    {
      title: t("nodes.memory"),
      format: bytes,
      steps: "binary",
      series: [
        area(t("nodes.used"), of("memory_used_bytes")),
        line(t("nodejs.total"), of("memory_total_bytes"), "faint"),
      ],
    },
    {
      title: t("nodes.disks"),
      format: percent,
      top: 1,
      series: mounts.map((mount, colour) =>
        line(
          mount,
          told.map(({ disks }) => disks[mount] ?? null),
          colour,
        ),
      ),
    },
    {
      title: t("figure.traffic"),
      format: rate,
      series: [
        area(t("nodejs.answered"), rates("requests")),
        line(t("nodejs.expired"), rates("requests_expired"), "error"),
      ],
    },
    {
      title: t("nodejs.latency"),
      format: duration,
      series: [line(t("figure.average"), of("response_average_ms"), "p95")],
    },
    {
      title: t("nodejs.gcTime"),
      format: duration,
      series: [
        line(t("nodejs.gcAll"), of("gc_ms"), "accent"),
        line(t("gc.type.scavenge"), of("scavenge_ms"), 1),
        line(t("gc.type.marksweep"), of("marksweep_ms"), 3),
      ],
    },
    {
      title: t("nodejs.processes"),
      format: count,
      steps: "whole",
      series: [area(t("nodejs.processes"), of("node_processes"))],
    },
  ];
}
