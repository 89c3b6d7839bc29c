/** The live seconds as charts want them, and the newest complete ones in one figure each. */

import type { LivePoint } from "../../api/liveTypes";
import { type LiveState, secondOf } from "./liveState";

const SECONDS = 10;

export interface Recent {
  seconds: number;
  requests: number;
  errors: number;
  requests_per_s: number;
  failed: number | null;
  average_ms: number | null;
  worst_p95_ms: number | null;
}

type Seen = Pick<LiveState, "points" | "time" | "behind_ms">;

/** Data may be this late. A longer silence is one, and is shown as such. */
const LATEST_MS = 10_000;

/** The first second of which something may still be on its way. */
export function firstOpen({ time, behind_ms }: Seen): number {
  const late_ms = behind_ms === null || behind_ms > LATEST_MS ? 0 : Math.max(0, behind_ms);
  return secondOf(new Date(time).getTime() - late_ms);
}

export interface Seconds {
  times: number[];
  points: (LivePoint | undefined)[];
}

/** One after the other up to the newest: of those that are still filling only what has requests already. */
export function secondsOf(seen: Seen, window_s: number): Seconds {
  const now = secondOf(seen.time);
  const open = firstOpen(seen);
  const times: number[] = [];
  const points: (LivePoint | undefined)[] = [];
  for (let second = now - window_s; second <= now; second++) {
    const point = seen.points.get(second);
    if (second >= open && !point) continue;
    times.push(second);
    points.push(point);
  }
  return { times, points };
}

export function recentOf(seen: Seen): Recent {
  const open = firstOpen(seen);
  const points = Array.from({ length: SECONDS }, (_, back) => seen.points.get(open - 1 - back)).filter(
    (point) => point !== undefined,
  );
  const requests = points.reduce((sum, point) => sum + point.requests, 0);
  const errors = points.reduce((sum, point) => sum + point.errors, 0);
  const busy = points.reduce((sum, point) => sum + point.requests * (point.average_ms ?? 0), 0);
  const p95s = points.flatMap(({ p95_ms }) => (p95_ms === null ? [] : [p95_ms]));
  return {
    seconds: SECONDS,
    requests,
    errors,
    requests_per_s: requests / SECONDS,
    failed: requests ? errors / requests : null,
    average_ms: requests ? busy / requests : null,
    worst_p95_ms: p95s.length ? Math.max(...p95s) : null,
  };
}
