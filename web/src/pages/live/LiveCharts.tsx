import { useEffect, useMemo, useRef } from "react";

import type { Live } from "../../api/types";
import { count, duration, rate } from "../../domain/format";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { type Series, type Sliding, TimeSeries } from "../../parts/TimeSeries";
import classes from "./LivePage.module.css";
import { complete } from "./recent";
import { ServerClock } from "./serverClock";

/** The right edge lags, so that a second is complete before it comes into view. */
const LAG_MS = 2000;

export function LiveCharts({ live, paused }: { live: Live; paused: boolean }) {
  const { t } = useWords();
  const clock = useRef(new ServerClock());
  useEffect(() => clock.current.heard(live.time, Date.now()), [live]);

  const points = useMemo(() => complete(live), [live]);
  const times = useMemo(() => timesOf(points), [points]);
  const traffic = useMemo<Series[]>(
    () => [
      { label: t("figure.requests"), colour: "accent", style: "area", values: points.map(({ requests }) => requests) },
    ],
    [points, t],
  );
  const errors = useMemo<Series[]>(
    () => [{ label: t("figure.errors"), colour: "error", style: "bars", values: points.map((point) => point.errors) }],
    [points, t],
  );
  const latency = useMemo<Series[]>(
    () => [
      { label: "p50", colour: "p50", style: "line", values: points.map(({ p50_ms }) => p50_ms) },
      { label: "p95", colour: "p95", style: "line", values: points.map(({ p95_ms }) => p95_ms) },
    ],
    [points],
  );
  const sliding = useMemo<Sliding | undefined>(
    () =>
      paused
        ? undefined
        : { window_s: live.window_s - LAG_MS / 1000 - 1, edge_s: () => (clock.current.at(Date.now()) - LAG_MS) / 1000 },
    [paused, live.window_s],
  );
  const to = new Date(live.time).getTime() - LAG_MS;
  const shared = { times, from: to - (live.window_s - 3) * 1000, to, sync: "live", sliding, height: 170 };
  return (
    <div className={classes.charts}>
      <TimeSeries title={t("live.traffic")} series={traffic} format={rate} {...shared} />
      <TimeSeries title={t("figure.errors")} series={errors} format={count} steps="whole" {...shared} />
      <TimeSeries title={t("figure.latency")} series={latency} format={duration} {...shared} />
    </div>
  );
}
