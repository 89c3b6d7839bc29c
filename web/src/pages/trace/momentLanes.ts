import type { Moment } from "../../api/types";
import { type TimeWindow, wholeOf, xOf } from "../../parts/waterfall/timeScale";

/** What a moment is drawn as. */
export type Kind = "stall" | "gc_pause" | "slow_syscall" | "queued" | "tool" | "error" | "warning" | "line";

export type Lane = "stall" | "gc_pause" | "slow_syscall" | "queued" | "tool" | "event" | "line";

const OF_THE_PROBE = ["stall", "gc_pause", "slow_syscall", "queued", "tool"] as const;
const LEAST_PERCENT = 0.25;

/** Moments of one sort share a lane of the axis. */
export function laneOf(moment: Moment): Lane {
  const known = OF_THE_PROBE.find((name) => moment.event === `sonde.${name}`);
  return known ?? (moment.event.startsWith("sonde.") ? "event" : "line");
}

/** Log lines are told apart by how bad they are. */
export function kindOf(moment: Moment): Kind {
  const lane = laneOf(moment);
  if (lane !== "line" && lane !== "event") return lane;
  if (moment.severity >= 17) return "error";
  return moment.severity >= 13 ? "warning" : "line";
}

/**
 * Where on the axis of the part of a trace that is in view: what reaches beyond the trace is cut at its ends, and null is
 * what is not in view. CSS.
 */
export function placed(
  moment: Moment,
  traceMs: number,
  view: TimeWindow = wholeOf(traceMs),
): { left: string; width: string } | null {
  const within = (ms: number) => Math.min(traceMs, Math.max(0, ms));
  const [from, to] = [within(moment.offset_ms), within(moment.offset_ms + moment.duration_ms)];
  if (to < view.from || from > view.to) return null;
  const percent = (ms: number) => Math.min(100, Math.max(0, xOf(ms, view, 100)));
  const left = percent(from);
  const right = percent(to);
  const width = Math.max(LEAST_PERCENT, right - left);
  return { left: `${Math.min(left, 100 - width)}%`, width: `${width}%` };
}
