import { expect, it } from "vitest";

import { errorRatesOf, ratesOf } from "./series";

const point = (requests: number, covered_s: number) => ({
  time: "2025-11-20T12:00:00Z",
  covered_s,
  requests,
  errors: requests / 2,
  average_ms: null,
  max_ms: null,
  p50_ms: null,
  p95_ms: null,
  p99_ms: null,
});

it("a step that is still running counts by the part of it that is over", () => {
  expect(ratesOf([point(30, 30), point(20, 20), point(0, 0)])).toEqual([1, 1, null]);
  expect(errorRatesOf([point(30, 30)])).toEqual([0.5]);
});

it("a step that has just begun says nothing yet: its newest requests are not stored", () => {
  expect(ratesOf([point(30, 30), point(3, 10)])).toEqual([1, null]);
});
