/** Figures and series that rise and fall like those of a shop. */

import type { Figures, Point } from "../src/api/types";
import { randomFrom, seedOf } from "./random.ts";

interface Rates {
  name: string;
  per_s: number;
  p50_ms: number;
  failing: number;
}

export function figuresOf({ per_s, p50_ms, failing }: Rates, seconds: number, stretch = 1): Figures {
  const requests = Math.round(per_s * stretch * seconds);
  const errors = Math.round(requests * failing);
  const p50 = p50_ms * stretch;
  const apdex = Math.max(0, Math.min(1, 1 - failing - Math.max(0, p50 - 60) / 1200));
  return {
    requests,
    errors,
    success_rate: requests ? 1 - errors / requests : null,
    requests_per_s: requests / seconds,
    average_ms: requests ? p50 * 1.35 : null,
    max_ms: requests ? p50 * 31 : null,
    p50_ms: requests ? p50 : null,
    p95_ms: requests ? p50 * 4.1 : null,
    p99_ms: requests ? p50 * 8.7 : null,
    apdex: requests ? Math.round(apdex * 100) / 100 : null,
  };
}

export function seriesOf({ name, per_s, p50_ms, failing }: Rates, from: number, to: number, steps: number): Point[] {
  const step = (to - from) / steps;
  const points: Point[] = [];
  for (let index = 0; index < steps; index++) {
    const time = Math.floor((from + index * step) / step) * step;
    const random = randomFrom(seedOf(name) ^ Math.floor(time / step));
    const wave = 1 + 0.28 * Math.sin(time / 613_000 + seedOf(name)) + (random() - 0.5) * 0.24;
    const spike = random() > 0.985 ? 2.8 : 1;
    const requests = Math.round(per_s * wave * (step / 1000));
    const errors = Math.round(requests * failing * (0.4 + random() * 1.3) * spike);
    const p50 = p50_ms * (0.9 + random() * 0.25);
    points.push({
      time: new Date(time).toISOString(),
      covered_s: step / 1000,
      requests,
      errors,
      average_ms: requests ? p50 * 1.35 * spike : null,
      max_ms: requests ? p50 * 30 * spike : null,
      p50_ms: requests ? p50 : null,
      p95_ms: requests ? p50 * (3.6 + random()) * spike : null,
      p99_ms: requests ? p50 * (6.8 + random() * 3) * spike : null,
    });
  }
  return points;
}
