/** The newest complete seconds of the live series in one figure each. */

import type { Live, Point } from "../../api/types";

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

/** Spans may be this late. A longer silence is one, and is shown as such. */
const LATEST_MS = 10_000;

/** The seconds of which everything has arrived: those that ended before the newest span that is stored. */
export function complete({ series, time, behind_ms }: Pick<Live, "series" | "time" | "behind_ms">): readonly Point[] {
  const late_ms = behind_ms === null || behind_ms > LATEST_MS ? 0 : Math.max(0, behind_ms);
  const known = new Date(time).getTime() - late_ms;
  return series.filter((point) => new Date(point.time).getTime() + 1000 <= known);
}

export function recentOf(live: Pick<Live, "series" | "time" | "behind_ms">): Recent {
  const points = complete(live).slice(-SECONDS);
  const requests = points.reduce((sum, point) => sum + point.requests, 0);
  const errors = points.reduce((sum, point) => sum + point.errors, 0);
  const busy = points.reduce((sum, point) => sum + point.requests * (point.average_ms ?? 0), 0);
  const p95s = points.flatMap(({ p95_ms }) => (p95_ms === null ? [] : [p95_ms]));
  return {
    seconds: SECONDS,
    requests,
    errors,
    requests_per_s: requests / Math.max(1, points.length),
    failed: requests ? errors / requests : null,
    average_ms: requests ? busy / requests : null,
    worst_p95_ms: p95s.length ? Math.max(...p95s) : null,
  };
}
