/** Series of the API as charts want them. */

import type { Point } from "../api/types";

/**
 * The newest requests are seconds away from the store: of a step that has just begun they are most of it, and its rate
 * would drop at the right edge of each chart, and rise again.
 */
const LEAST_COVERED_S = 20;

/** Count a second, by the part of the step that is counted so far; nothing while that says too little. */
export const rateOf = (count: number, covered_s: number): number | null =>
  covered_s < LEAST_COVERED_S ? null : count / covered_s;

/** Requests a second of each step. */
export const ratesOf = (series: readonly Point[]): (number | null)[] =>
  series.map(({ requests, covered_s }) => rateOf(requests, covered_s));

export const errorRatesOf = (series: readonly Point[]): (number | null)[] =>
  series.map(({ errors, covered_s }) => rateOf(errors, covered_s));

/** Starts of the steps in epoch seconds. */
export const timesOf = (series: readonly { time: string }[]): number[] =>
  series.map(({ time }) => new Date(time).getTime() / 1000);
