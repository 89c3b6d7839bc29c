import { describe, expect, it } from "vitest";

import { changeOf } from "./Change";
import { decades, decadesAround, heightOf } from "./scatter";
import { sparkPaths } from "./sparkline";
import { readSort, sorted, writeSort } from "./tableOrder";
import { timeLabel, timeTicks } from "./timeAxis";

describe("a sparkline", () => {
  it("starts at zero and leaves room for its stroke", () => {
    expect(sparkPaths([0, 10], 100, 20).line).toBe("M0 19L100 1");
  });

  it("breaks where nothing was measured", () => {
    expect(sparkPaths([1, 1, null, 1, 1], 40, 20).line).toBe("M0 1L10 1M30 1L40 1");
    expect(sparkPaths([null, null], 40, 20)).toEqual({ line: "", area: "" });
  });

  it("lies at the foot when all is zero", () => {
    expect(sparkPaths([0, 0], 40, 20).line).toBe("M0 19L40 19");
  });

  it("shows a single measurement as a dot", () => {
    expect(sparkPaths([5], 40, 20).line).toBe("M0 1h.01");
  });
});

describe("the order of a table", () => {
  const rows = [{ n: 10 }, { n: null }, { n: 9 }];

  it("keeps what has no figure last in both directions", () => {
    expect(sorted(rows, ({ n }) => n, false).map(({ n }) => n)).toEqual([9, 10, null]);
    expect(sorted(rows, ({ n }) => n, true).map(({ n }) => n)).toEqual([10, 9, null]);
  });

  it("sorts names as people do", () => {
    const names = ["web-10", "Web-9", "api"].map((name) => ({ name }));
    expect(sorted(names, ({ name }) => name, false).map(({ name }) => name)).toEqual(["api", "Web-9", "web-10"]);
  });

  it("stands in the address as one word", () => {
    expect(readSort("-p95")).toEqual({ column: "p95", descending: true });
    expect(writeSort(readSort("-p95"))).toBe("-p95");
    expect(writeSort(readSort("service"))).toBe("service");
  });
});

describe("a change", () => {
  it("is a ratio, or points between two fractions", () => {
    expect(changeOf(12, 10, "ratio")).toBeCloseTo(0.2);
    expect(changeOf(0.98, 0.99, "points")).toBeCloseTo(-0.01);
  });

  it("is unknown without a figure to compare with", () => {
    expect(changeOf(12, null, "ratio")).toBeNull();
    expect(changeOf(null, 12, "ratio")).toBeNull();
    expect(changeOf(12, 0, "ratio")).toBeNull();
    expect(changeOf(0, 0, "ratio")).toBe(0);
  });
});

describe("a time axis", () => {
  const at = (hour: number, minute: number) => new Date(2025, 10, 21, hour, minute).getTime();

  it("shows the day where it begins", () => {
    expect(timeLabel(at(0, 0) / 1000, 900)).toBe("11-21");
    expect(timeLabel(at(9, 30) / 1000, 900)).toBe("09:30");
    expect(timeLabel(at(9, 30) / 1000, 5)).toBe("09:30:00");
    expect(timeLabel(at(9, 30) / 1000, 86_400)).toBe("11-21");
  });

  it("has ticks at round local times, no more than fit", () => {
    const { times, step_s } = timeTicks(at(9, 3), at(10, 3), 6);
    expect(step_s).toBe(600);
    expect(times).toEqual([10, 20, 30, 40, 50, 60].map((minute) => at(9, minute)));
  });
});

describe("a scatter plot", () => {
  it("spans whole powers of ten", () => {
    expect(decadesAround([3, 250])).toEqual({ low: 1, high: 1000 });
    expect(decadesAround([10])).toEqual({ low: 10, high: 100 });
    expect(decadesAround([])).toEqual({ low: 1, high: 10 });
    expect(decades({ low: 1, high: 1000 })).toEqual([1, 10, 100, 1000]);
  });

  it("keeps zero and below at the foot", () => {
    expect(heightOf(0, { low: 1, high: 100 })).toBe(0);
    expect(heightOf(10, { low: 1, high: 100 })).toBeCloseTo(0.5);
    expect(heightOf(1e9, { low: 1, high: 100 })).toBe(1);
  });
});
