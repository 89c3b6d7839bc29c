/** Canned figures of interpreters: two processes of an asyncio service with a slow call in it. */

import type { RuntimeReport, RuntimeSample } from "../src/api/types";
import { randomFrom, seedOf } from "./random.ts";

export function runtime(service: string, from: number, to: number): RuntimeReport {
  const steps = 120;
  const step = (to - from) / steps;
  const series: RuntimeSample[] = [];
  for (let index = 0; index < steps; index++) {
    const time = from + index * step;
    const random = randomFrom(seedOf(service) ^ Math.floor(time / step));
    const slow = random() > 0.9;
    series.push({
      time: new Date(time).toISOString(),
      requests_active: random() * 4 + (slow ? 6 : 0),
      threads: 9,
      thread_pool_queued: slow ? Math.round(random() * 12) : 0,
      asyncio_tasks: 20 + Math.round(random() * 10),
      gc_pause_max_ms: 4 + random() * 18,
      event_loop_lag_max_ms: slow ? 120 + random() * 300 : random() * 9,
      gil_wait_max_ms: random() * 6,
    });
  }
  return {
    service,
    instances: 2,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step_s: 30,
    series,
  };
}
