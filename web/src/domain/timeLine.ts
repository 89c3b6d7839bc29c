/** The time line below the map. */

import type { MapMoment } from "../api/mapTypes";

export interface Bar {
  key: string;
  /** In units of the height; errors are a part of the requests. */
  requests: number;
  errors: number;
}

/** A failed request can be seen however many did not fail. */
const LEAST_SEEN = 1.5;

/** Rates, not sums: of the last step, which still runs, only a part is counted. */
export function barsOf(moments: readonly MapMoment[], height: number): Bar[] {
  const rates = moments.map(({ requests, covered_s }) => (covered_s > 0 ? requests / covered_s : 0));
  const most = Math.max(...rates, 0);
  return moments.map(({ time, requests, errors }, index) => {
    const tall = most > 0 ? ((rates[index] as number) / most) * height : 0;
    const failed = requests > 0 ? (tall * errors) / requests : 0;
    return { key: time, requests: tall, errors: errors > 0 ? Math.max(LEAST_SEEN, failed) : 0 };
  });
}

/** Place of the step that holds the moment `at` (epoch ms), -1 where none does. */
export function stepAt(moments: readonly MapMoment[], step_s: number, at: number): number {
  return moments.findIndex(({ time }) => {
    const start = new Date(time).getTime();
    return start <= at && at < start + step_s * 1000;
  });
}
