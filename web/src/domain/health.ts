/** How well a service does, in one word. The page shows it as colour and as shape, never as colour alone. */

export type Health = "ok" | "warn" | "error" | "idle";

interface Judged {
  requests: number;
  errors: number;
  apdex?: number | null;
}

const WARN_ERRORS = 0.01;
const BAD_ERRORS = 0.05;
const WARN_APDEX = 0.85;
const BAD_APDEX = 0.5;

export function healthOf({ requests, errors, apdex }: Judged): Health {
  if (requests === 0) return "idle";
  const failed = errors / requests;
  if (failed >= BAD_ERRORS || (apdex ?? 1) < BAD_APDEX) return "error";
  if (failed >= WARN_ERRORS || (apdex ?? 1) < WARN_APDEX) return "warn";
  return "ok";
}

/** Colour for a figure: only those that need a look have one. */
export function toneOf(judged: Judged): "warn" | "error" | undefined {
  const health = healthOf(judged);
  return health === "warn" || health === "error" ? health : undefined;
}

/** For sorting: the worst first. */
export const HEALTH_ORDER: Record<Health, number> = { error: 0, warn: 1, ok: 2, idle: 3 };

/** Of something that is full at 1: a disk, a memory, a processor. */
export function fullness(fraction: number | null): Health {
  if (fraction === null) return "idle";
  if (fraction >= 0.9) return "error";
  return fraction >= 0.75 ? "warn" : "ok";
}
