/** Which runs of tools could have seen a trace. */

import type { Between } from "../../api/endpoints";
import type { Job, Trace } from "../../api/types";

/** A trace through more processes than this asks for the first of them only. */
const MOST_INSTANCES = 6;
/** No run is longer. */
const LONGEST_RUN_MS = 3_600_000;

/** The processes of a trace, that of the slowest span first. */
export function instancesOf({ spans }: Pick<Trace, "spans">): string[] {
  const slowest = new Map<string, number>();
  for (const { instance, duration_ms } of spans) {
    if (instance) slowest.set(instance, Math.max(slowest.get(instance) ?? 0, duration_ms));
  }
  return [...slowest]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_INSTANCES)
    .map(([instance]) => instance);
}

/** When a run that was under way during the trace was created. */
export function searchedBefore(trace: Pick<Trace, "start_time" | "duration_ms">): Between {
  const start = new Date(trace.start_time).getTime();
  return { from: Math.floor(start - LONGEST_RUN_MS), to: Math.ceil(start + trace.duration_ms) };
}

export function during(job: Pick<Job, "started_at" | "ended_at">, trace: Pick<Trace, "start_time" | "duration_ms">) {
  if (!job.started_at) return false;
  const start = new Date(trace.start_time).getTime();
  const ended = job.ended_at ? new Date(job.ended_at).getTime() : Number.POSITIVE_INFINITY;
  return new Date(job.started_at).getTime() <= start + trace.duration_ms && ended >= start;
}
