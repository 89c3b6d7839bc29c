/** `sonde.stalls.v1`: when an event loop did not turn, by which line and why. See docs/tools/stalls.md. */

import type { StackFrame } from "./stacks";

export interface StallPlace {
  function: string;
  file: string;
  line: number;
}

export interface StallLine extends StallPlace {
  cause: string;
  /** Where the cause is one. */
  system_call: string;
  held_by: string;
  count: number;
  ns: number;
  longest_ns: number;
  coroutine: string;
  callback: string;
  endpoint: string;
  trace_id: string;
}

export interface Stall {
  began_unix_ns: number;
  ns: number;
  ended: boolean;
  thread: string;
  cause: string;
  system_call: string;
  coroutine: string;
  callback: string;
  endpoint: string;
  trace_id: string;
  span_id: string;
  line: StallPlace | null;
  /** The innermost first. */
  stack: StackFrame[];
}

export interface StallsFile {
  format: string;
  threshold_ms: number;
  duration_ns: number;
  lines: StallLine[];
  stalls: Stall[];
}

/** In the order of their colours. */
export const CAUSES = [
  "python",
  "c_call",
  "c_call_without_gil",
  "gil_wait",
  "gc",
  "system_call",
  "lock_wait",
  "cpu_wait",
  "unseen",
] as const;
export type Cause = (typeof CAUSES)[number];

export const isCause = (cause: string): cause is Cause => (CAUSES as readonly string[]).includes(cause);

/** No trace: thirty-two zeros, or nothing. */
export const isTrace = (traceId: string) => /[1-9a-f]/.test(traceId);

export interface StallBar {
  /** Shares of the whole time, and of the longest stall. */
  left: number;
  width: number;
  height: number;
  stall: Stall;
}

/** Where each stall stands on a time axis over all of them, the run's duration long where it is known. */
export function barsOf({ stalls, duration_ns }: Pick<StallsFile, "stalls" | "duration_ns">): StallBar[] {
  if (stalls.length === 0) return [];
  const first = stalls.reduce((least, { began_unix_ns }) => Math.min(least, began_unix_ns), Number.POSITIVE_INFINITY);
  const last = stalls.reduce((most, { began_unix_ns, ns }) => Math.max(most, began_unix_ns + ns), 0);
  const whole = Math.max(duration_ns, last - first, 1);
  const longest = stalls.reduce((most, { ns }) => Math.max(most, ns), 1);
  return stalls.map((stall) => ({
    left: (stall.began_unix_ns - first) / whole,
    width: stall.ns / whole,
    height: stall.ns / longest,
    stall,
  }));
}
