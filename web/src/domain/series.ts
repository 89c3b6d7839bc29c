/** Series of the API as charts want them. */

import type { Point } from "../api/types";

/** Requests a second of each step, by the part of it that is counted so far. */
export function ratesOf(series: readonly Point[]): (number | null)[] {
  return series.map(({ requests, covered_s }) => (covered_s > 0 ? requests / covered_s : null));
}

export function errorRatesOf(series: readonly Point[]): (number | null)[] {
  return series.map(({ errors, covered_s }) => (covered_s > 0 ? errors / covered_s : null));
}

/** Starts of the steps in epoch seconds. */
export const timesOf = (series: readonly { time: string }[]): number[] =>
  series.map(({ time }) => new Date(time).getTime() / 1000);
