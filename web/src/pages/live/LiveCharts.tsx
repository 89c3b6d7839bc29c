import { useEffect, useMemo, useRef } from "react";

import { count, duration, rate } from "../../domain/format";
import { useWords } from "../../i18n";
import { type Series, type Sliding, TimeSeries } from "../../parts/TimeSeries";
import classes from "./LivePage.module.css";
import type { LiveState } from "./liveState";
import { secondsOf } from "./recent";
import { ServerClock } from "./serverClock";

/** The right edge is this much behind now, so that the newest second does not stick out of the frame. */
const LAG_S = 0.5;

interface Props {
  state: LiveState;
  window_s: number;
  /** What the charts are about; nothing: all services. */
  service: string | undefined;
  /** Nothing moves. */
  still: boolean;
}

export function LiveCharts({ state, window_s, service, still }: Props) {
  const { t } = useWords();
  const clock = useRef(new ServerClock());
  useEffect(() => clock.current.heard(state.time, Date.now()), [state.time]);

  const { times, points } = useMemo(() => secondsOf(state, window_s), [state, window_s]);
  const traffic = useMemo<Series[]>(
    () => [
      {
        label: t("figure.requests"),
        colour: "accent",
        style: "area",
        values: points.map((point) => point?.requests ?? 0),
      },
    ],
    [points, t],
  );
  const errors = useMemo<Series[]>(
    () => [
      { label: t("figure.errors"), colour: "error", style: "bars", values: points.map((point) => point?.errors ?? 0) },
    ],
    [points, t],
  );
  const latency = useMemo<Series[]>(
    () => [
      { label: "p50", colour: "p50", style: "line", values: points.map((point) => point?.p50_ms ?? null) },
      { label: "p95", colour: "p95", style: "line", values: points.map((point) => point?.p95_ms ?? null) },
    ],
    [points],
  );
  const sliding = useMemo<Sliding | undefined>(
    () => (still ? undefined : { window_s, edge_s: () => clock.current.at(Date.now()) / 1000 - LAG_S }),
    [still, window_s],
  );
  const to = new Date(state.time).getTime() - LAG_S * 1000;
  const shared = { times, from: to - window_s * 1000, to, sync: "live", sliding, height: 170 };
  const of = (title: string) => (service ? `${title}, ${service}` : title);
  return (
    <div className={classes.charts}>
      <TimeSeries title={of(t("live.traffic"))} series={traffic} format={rate} {...shared} />
      <TimeSeries title={of(t("figure.errors"))} series={errors} format={count} steps="whole" {...shared} />
      <TimeSeries title={of(t("figure.latency"))} series={latency} format={duration} {...shared} />
    </div>
  );
}
