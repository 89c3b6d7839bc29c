import { describe, expect, it } from "vitest";

import type { DayBlock } from "../../api/statisticsTypes";
import { axisOf, cellsOf, daysFrom, figureOf, isDate } from "./strip";

const block = (index: number, requests: number, errors = 0, covered_s = 180) =>
  ({ index, requests, errors, covered_s, p95_ms: requests ? 10 * requests : null }) as DayBlock;

describe("a day", () => {
  it("shows blocks by the greatest of the day, and those with failures", () => {
    const cells = cellsOf([block(0, 0), block(1, 50, 1), block(2, 100)], "requests");
    expect(cells).toEqual([
      { index: 1, strength: 0.6000000000000001, failed: true },
      { index: 2, strength: 1, failed: false },
    ]);
    expect(cellsOf([block(0, 0)], "requests")).toEqual([]);
  });

  it("knows nothing of blocks to come", () => {
    expect(figureOf(block(479, 0, 0, 0), "requests")).toBeNull();
    expect(figureOf(block(3, 0), "requests")).toBe(0);
  });

  it("goes over the ends of months and years", () => {
    expect(daysFrom("2026-01-01", -1)).toBe("2025-12-31");
    expect(daysFrom("2024-02-28", 1)).toBe("2024-02-29");
    expect([isDate("2026-11-21"), isDate("2026-13-45"), isDate("today")]).toEqual([true, false, false]);
  });

  it("stands on an axis by the local clock", () => {
    const [first, second] = axisOf("2026-11-21", 2, 180) as [number, number];
    expect(second - first).toBe(180);
    expect(new Date(first * 1000).getHours()).toBe(0);
  });
});
