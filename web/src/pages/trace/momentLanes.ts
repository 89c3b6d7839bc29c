import type { Moment } from "../../api/types";

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

/** Where on the axis of a trace: what began before it or ends after it is cut there. CSS. */
export function placed(moment: Moment, traceMs: number): { left: string; width: string } {
  const percent = (ms: number) => (traceMs > 0 ? Math.min(100, Math.max(0, (ms / traceMs) * 100)) : 0);
  const left = percent(moment.offset_ms);
  const right = percent(moment.offset_ms + moment.duration_ms);
  const width = Math.max(LEAST_PERCENT, right - left);
  return { left: `${Math.min(left, 100 - width)}%`, width: `${width}%` };
}
