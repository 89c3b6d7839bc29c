/** Series of what processes report each minute or so, as charts want them. */

import type { NodejsSeries } from "../api/nodejsTypes";

export interface Reported {
  /** Epoch seconds. */
  times: number[];
  /** One for each asked metric; null is a gap. */
  values: (number | null)[][];
}

/** Reports come each minute: a silence longer than this is one, a step without a report is not. */
const SILENCE_S = 200;
/** In wide charts a step is longer than that. */
const SILENT_STEPS = 2.5;

/**
 * The metrics of one thread over the times at which any of them was reported. Steps between two reports are left out, so
 * that lines go from report to report; a silence becomes a gap.
 */
export function reportedOf(
  series: readonly NodejsSeries[],
  metrics: readonly string[],
  thread: number,
  step_s: number,
): Reported {
  const chosen = metrics.map((metric) => series.find((one) => one.metric === metric && one.thread === thread));
  const length = chosen.reduce((most, one) => Math.max(most, one?.points.length ?? 0), 0);
  const silence = Math.max(SILENCE_S, step_s * SILENT_STEPS);
  const reported: Reported = { times: [], values: metrics.map(() => []) };
  for (let at = 0; at < length; at++) {
    const point = chosen.find((one) => one?.points[at])?.points[at];
    if (!point || chosen.every((one) => (one?.points[at]?.value ?? null) === null)) continue;
    const time = new Date(point.time).getTime() / 1000;
    const before = reported.times.at(-1);
    if (before !== undefined && time - before > silence) {
      reported.times.push(before + step_s);
      for (const values of reported.values) values.push(null);
    }
    reported.times.push(time);
    for (const [metric, values] of reported.values.entries()) values.push(chosen[metric]?.points[at]?.value ?? null);
  }
  return reported;
}

/** How much a count that only grows has grown since the report before; a new start of the process is a gap. */
export function growthOf(values: readonly (number | null)[]): (number | null)[] {
  let before: number | null = null;
  return values.map((value) => {
    const grown = value !== null && before !== null && value >= before ? value - before : null;
    if (value !== null) before = value;
    return grown;
  });
}

/** A count of each step as a rate. */
export const perSecond = (values: readonly (number | null)[], times: readonly number[]): (number | null)[] =>
  values.map((value, at) => {
    const seconds = (times[at] as number) - (times[at - 1] ?? (times[at] as number) - 60);
    return value === null || seconds <= 0 ? null : value / seconds;
  });
