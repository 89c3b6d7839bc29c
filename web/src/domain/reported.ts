/** Series of what processes report each minute or so, as charts want them. */

import type { NodejsSeries } from "../api/nodejsTypes";

export interface Reported {
  /** Epoch seconds. */
  times: number[];
  step_s: number;
  /** One for each asked metric; null is a gap. */
  values: (number | null)[][];
}

/** Reports come each minute: a silence longer than this is one, a step without a report is not. */
const SILENCE_S = 200;
/** In wide charts a step is longer than that. */
const SILENT_STEPS = 2.5;

/**
 * Columns over the times at which any of them has a value. Steps between two reports are left out, so that lines go from
 * report to report; a silence becomes a gap.
 */
export function compacted(
  times: readonly number[],
  columns: readonly (readonly (number | null)[])[],
  step_s: number,
): Reported {
  const silence = Math.max(SILENCE_S, step_s * SILENT_STEPS);
  const reported: Reported = { times: [], step_s, values: columns.map(() => []) };
  times.forEach((time, at) => {
    if (columns.every((values) => (values[at] ?? null) === null)) return;
    const before = reported.times.at(-1);
    if (before !== undefined && time - before > silence) {
      reported.times.push(before + step_s);
      for (const values of reported.values) values.push(null);
    }
    reported.times.push(time);
    for (const [column, values] of reported.values.entries()) values.push(columns[column]?.[at] ?? null);
  });
  return reported;
}

/** The metrics of one thread; those that it has not are gaps. */
export function reportedOf(
  series: readonly NodejsSeries[],
  metrics: readonly string[],
  thread: number,
  step_s: number,
): Reported {
  const chosen = metrics.map((metric) => series.find((one) => one.metric === metric && one.thread === thread));
  const points = chosen.find((one) => one !== undefined)?.points ?? [];
  return compacted(
    points.map(({ time }) => new Date(time).getTime() / 1000),
    chosen.map((one) => one?.points.map(({ value }) => value) ?? []),
    step_s,
  );
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

const USUAL_S = 60;

/** When counts were taken: the starts of steps (epoch seconds), how long one is, and when the last one was cut off. */
export interface Steps {
  times: readonly number[];
  step_s: number;
  /** Epoch seconds. */
  end: number;
}

/**
 * Counts as rates. Where steps follow each other a count is of its step, and of the running one as far as it has come;
 * else it is of the time since the report before.
 */
export function perSecond(values: readonly (number | null)[], { times, step_s, end }: Steps): (number | null)[] {
  return values.map((value, at) => {
    if (value === null) return null;
    const time = times[at] as number;
    const next = times[at + 1] ?? time + USUAL_S;
    const since = at > 0 ? time - (times[at - 1] as number) : next - time;
    const covered = since > step_s ? (since > SILENCE_S ? USUAL_S : since) : Math.min(step_s, Math.max(1, end - time));
    return value / Math.max(covered, Math.min(step_s, 1));
  });
}
