import { describe, expect, it } from "vitest";

import type { NodejsFile, NodejsProcess, NodejsSeries } from "../api/nodejsTypes";
import { processHealth, recordedShare } from "./nodejs";
import { growthOf, perSecond, reportedOf } from "./reported";

const process = (more: Partial<NodejsProcess>): NodejsProcess =>
  ({
    alive: true,
    reports: true,
    cpu_percent: 10,
    heap_used_bytes: 10,
    heap_limit_bytes: 100,
    gc_percent: 1,
    ...more,
  }) as NodejsProcess;

describe("a process", () => {
  it("does as badly as the worst of CPU, heap and collections", () => {
    expect(processHealth(process({}))).toBe("ok");
    expect(processHealth(process({ cpu_percent: 60 }))).toBe("warn");
    expect(processHealth(process({ cpu_percent: 61, heap_used_bytes: 85 }))).toBe("error");
    expect(processHealth(process({ gc_percent: 15 }))).toBe("error");
    expect(processHealth(process({ heap_limit_bytes: null }))).toBe("ok");
  });

  it("that has ended or says nothing is not judged", () => {
    expect(processHealth(process({ alive: false, cpu_percent: 99 }))).toBe("idle");
    expect(processHealth(process({ reports: false }))).toBe("idle");
    expect(processHealth(process({ cpu_percent: null, heap_used_bytes: null, gc_percent: null }))).toBe("idle");
  });
});

describe("a recording", () => {
  const file = (more: Partial<NodejsFile>) =>
    ({ running: true, created_at: "2026-01-01T00:00:00Z", ends_at: "2026-01-01T00:01:40Z", ...more }) as NodejsFile;
  const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second);

  it("is as far as the time goes", () => {
    expect(recordedShare(file({}), at(25))).toBe(0.25);
    expect(recordedShare(file({}), at(200))).toBe(1);
    expect(recordedShare(file({}), at(-5))).toBe(0);
    expect(recordedShare(file({ running: false }), at(25))).toBeNull();
    expect(recordedShare(file({ ends_at: null }), at(25))).toBeNull();
  });
});

const series = (metric: string, thread: number, values: (number | null)[], step_s = 30): NodejsSeries => ({
  metric,
  thread,
  points: values.map((value, at) => ({ time: new Date(at * step_s * 1000).toISOString(), value })),
});

describe("what is reported", () => {
  it("is drawn from report to report", () => {
    const all = [series("a", 0, [1, null, 2, null, 3]), series("b", 0, [5, null, null, null, 7]), series("a", 4, [9])];
    expect(reportedOf(all, ["a", "b", "none"], 0, 30)).toEqual({
      times: [0, 60, 120],
      step_s: 30,
      values: [
        [1, 2, 3],
        [5, null, 7],
        [null, null, null],
      ],
    });
    expect(reportedOf(all, ["a"], 4, 30)).toEqual({ times: [0], step_s: 30, values: [[9]] });
    expect(reportedOf([], ["a"], 0, 30)).toEqual({ times: [], step_s: 30, values: [[]] });
  });

  it("has a gap where nothing came for minutes", () => {
    const { times, values } = reportedOf([series("a", 0, [1, ...new Array(7).fill(null), 2])], ["a"], 0, 30);
    expect(times).toEqual([0, 30, 240]);
    expect(values).toEqual([[1, null, 2]]);
    expect(reportedOf([series("a", 0, [1, null, 2], 600)], ["a"], 0, 600).times).toEqual([0, 1200]);
  });

  it("of a count that grows is how much it grew", () => {
    expect(growthOf([5, 7, null, 10, 2, 3])).toEqual([null, 2, null, 3, null, 1]);
  });

  it("of a count by step is a rate", () => {
    const each = (values: (number | null)[], times: number[], step_s: number, end: number) =>
      perSecond(values, { times, step_s, end });
    expect(each([60, 120, null], [0, 60, 120], 4, 130)).toEqual([1, 2, null]);
    expect(each([600, 600, 100], [0, 300, 600], 300, 650)).toEqual([2, 2, 2]);
    expect(each([60, 60], [0, 900], 30, 1000)).toEqual([1, 1]);
    expect(each([60], [0], 30, 1000)).toEqual([1]);
  });
});
