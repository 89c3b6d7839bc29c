/** The time range of a page: one of the usual spans ending now, or two fixed moments. */

import type { Between } from "../api/endpoints";
import { readNumber, readOneOf } from "./search";

export const SPANS = {
  "5m": 300,
  "15m": 900,
  "1h": 3600,
  "6h": 21_600,
  "24h": 86_400,
  "7d": 604_800,
  "14d": 1_209_600,
  "30d": 2_592_000,
} as const;
export type SpanName = keyof typeof SPANS;
export const DEFAULT_SPAN: SpanName = "15m";

/** Seconds between two refreshes; 0 is off. */
export const REFRESHES_S = [0, 5, 10, 30, 60] as const;
const DEFAULT_REFRESH_S = 10;

/** How the range stands in the address. Nothing there: the default span, refreshed. */
export interface RangeSearch {
  range?: SpanName;
  from?: number;
  to?: number;
  refresh?: number;
}

export type Range = { refresh_s: number } & (
  | { kind: "last"; span: SpanName }
  | { kind: "fixed"; from: number; to: number }
);

/** Keeps what is usable of an address; a bad value is as good as none. */
export function readRangeSearch(search: Record<string, unknown>): RangeSearch {
  const read: RangeSearch = {};
  const range = readOneOf(search.range, Object.keys(SPANS) as SpanName[]);
  if (range) read.range = range;
  const from = readNumber(search.from);
  const to = readNumber(search.to);
  if (isMoment(from) && isMoment(to) && from < to) {
    read.from = Math.round(from);
    read.to = Math.round(to);
  }
  const refresh = readNumber(search.refresh);
  if (REFRESHES_S.some((seconds) => seconds === refresh)) read.refresh = refresh;
  return read;
}

const isMoment = (value: number | undefined): value is number => value !== undefined && value > 0 && value < 8.64e15;

export function rangeOf({ range, from, to, refresh }: RangeSearch): Range {
  if (from !== undefined && to !== undefined) return { kind: "fixed", from, to, refresh_s: 0 };
  return { kind: "last", span: range ?? DEFAULT_SPAN, refresh_s: refresh ?? DEFAULT_REFRESH_S };
}

/** Lengths of the slots that the server adds up long times from. */
const WHOLE_SLOTS_S = [21_600, 3600, 900, 30];
const SHARE_OF_A_SPAN = 50;

/**
 * A relative range begins with a whole slot, by at most a fiftieth of its length earlier: "the last 14 days" from half
 * a minute on, in the middle of a night, is what nobody means and what costs most to add up.
 */
export function betweenOf(range: Range, now: number = Date.now()): Between {
  if (range.kind === "fixed") return { from: range.from, to: range.to };
  const span_s = SPANS[range.span];
  const whole_s = WHOLE_SLOTS_S.find((slot_s) => slot_s * SHARE_OF_A_SPAN <= span_s) ?? 1;
  return { from: Math.floor((now / 1000 - span_s) / whole_s) * whole_s * 1000, to: now };
}

/** The same for every moment of the same relative range: a refresh replaces, it does not add. */
export function rangeKey(range: Range): string {
  return range.kind === "fixed" ? `${range.from}-${range.to}` : range.span;
}
