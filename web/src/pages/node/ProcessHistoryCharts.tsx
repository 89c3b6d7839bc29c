import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { processHistoryQuery } from "../../api/nodes";
import type { ProcessHistory, ProcessSample } from "../../api/nodesTypes";
import { bytes, percent } from "../../domain/format";
import { betweenOf, type Range } from "../../domain/range";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { ChartSkeleton } from "../../parts/Skeletons";
import { TimeSeries } from "../../parts/TimeSeries";
import classes from "./NodePage.module.css";

interface Props {
  host: string;
  pid: number;
  started: number;
  range: Range;
}

/** CPU and memory of one process in the minutes in which it was among those that used most. */
export function ProcessHistoryCharts({ host, pid, started, range }: Props) {
  const { t } = useWords();
  const history = useQuery(processHistoryQuery(host, pid, started, range));
  return (
    <div className={classes.history}>
      <Loaded query={history} skeleton={<ChartSkeleton height={150} />}>
        {(data) =>
          data === null ? <Empty title={t("nodes.top.noHistory")} /> : <Charts history={data} range={range} />
        }
      </Loaded>
    </div>
  );
}

/** A minute, and some more for an agent that is late. */
const LONGEST_BETWEEN_MS = 100_000;

/** With a gap wherever a minute is missing. */
export function withGaps(series: readonly ProcessSample[]): { times: number[]; samples: (ProcessSample | null)[] } {
  const times: number[] = [];
  const samples: (ProcessSample | null)[] = [];
  let before: number | undefined;
  for (const sample of series) {
    const time = new Date(sample.time).getTime();
    if (before !== undefined && time - before > LONGEST_BETWEEN_MS) {
      times.push((before + time) / 2000);
      samples.push(null);
    }
    times.push(time / 1000);
    samples.push(sample);
    before = time;
  }
  return { times, samples };
}

function Charts({ history, range }: { history: ProcessHistory; range: Range }) {
  const { t } = useWords();
  const { times, samples } = useMemo(() => withGaps(history.series), [history]);
  const { from, to } = betweenOf(range);
  const shared = { times, from, to, sync: "process", height: 150 };
  const name = `${history.name} ${history.pid}`;
  return (
    <div className={classes.pair}>
      <TimeSeries
        title={`${name}: ${t("nodes.cpu")}`}
        format={percent}
        series={[
          {
            label: t("nodes.top.ofCore"),
            colour: "accent",
            style: "line",
            values: samples.map((one) => one?.cpu_cores ?? null),
          },
        ]}
        {...shared}
      />
      <TimeSeries
        title={`${name}: ${t("nodes.memory")}`}
        format={bytes}
        steps="binary"
        series={[
          {
            label: t("nodes.used"),
            colour: "p95",
            style: "line",
            values: samples.map((one) => one?.memory_bytes ?? null),
          },
        ]}
        {...shared}
      />
    </div>
  );
}
