/** The series of all services laid over each other. */

import type { Service } from "../../api/types";
import { rateOf, timesOf } from "../../domain/series";

export interface Together {
  /** Starts of the steps in epoch seconds. */
  times: number[];
  requests_per_s: (number | null)[];
  errors: number[];
  /** p95 in ms of the busiest services, busiest first. */
  p95s: { service: string; values: (number | null)[] }[];
}

/** More lines than these cannot be told apart. */
const MOST_LINES = 4;

export function together(services: readonly Service[]): Together {
  const longest = services.reduce<Service | undefined>(
    (most, one) => (most && most.series.length >= one.series.length ? most : one),
    undefined,
  );
  const times = timesOf(longest?.series ?? []);
  const place = new Map(times.map((time, index) => [time, index]));
  const requests_per_s: (number | null)[] = times.map(() => null);
  const errors = times.map(() => 0);
  for (const { series } of services) {
    timesOf(series).forEach((time, index) => {
      const at = place.get(time);
      const point = series[index];
      if (at === undefined || !point) return;
      const requests = rateOf(point.requests, point.covered_s);
      if (requests !== null) requests_per_s[at] = (requests_per_s[at] ?? 0) + requests;
      errors[at] = (errors[at] ?? 0) + point.errors;
    });
  }
  const p95s = [...services]
    .sort((a, b) => b.requests_per_s - a.requests_per_s)
    .slice(0, MOST_LINES)
    .map(({ service, series }) => {
      const known = new Map(timesOf(series).map((time, index) => [time, series[index]?.p95_ms ?? null]));
      return { service, values: times.map((time) => known.get(time) ?? null) };
    });
  return { times, requests_per_s, errors, p95s };
}
