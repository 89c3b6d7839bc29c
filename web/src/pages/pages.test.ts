import { describe, expect, it } from "vitest";
import { figuresOf } from "../../dev/figures";
import type { Service } from "../api/types";
import { hasRange, refreshesItself } from "../shell/places";
import { diskShare, fullest, shareOf } from "./nodes/fractions";
import { named, summaryOf, urgency } from "./overview/summary";
import { together } from "./overview/together";

const service = (name: string, more: Partial<Service>): Service => ({
  ...figuresOf({ name, per_s: 1, p50_ms: 5, failing: 0 }, 60),
  app: "shop",
  service: name,
  language: "python",
  instances: 1,
  last_seen: "2025-11-20T12:00:00Z",
  series: [],
  ...more,
});

describe("the overview", () => {
  const calm = service("calm", { requests_per_s: 900 });
  const failing = service("failing", { requests: 100, errors: 50 });
  const silent = service("silent", { requests: 0, errors: 0, apdex: null });

  it("puts the worst first, and of equals the busiest", () => {
    const busier = service("busier", { requests_per_s: 1000 });
    const order = [calm, silent, busier, failing].sort((a, b) => urgency(a) - urgency(b));
    expect(order.map((one) => one.service)).toEqual(["failing", "busier", "calm", "silent"]);
  });

  it("counts over all services", () => {
    expect(summaryOf([calm, failing])).toMatchObject({ services: 2, failing: 1, warned: 0, instances: 2 });
    expect(summaryOf([silent]).success_rate).toBeNull();
  });

  it("finds services by a part of their name", () => {
    expect(named([calm, failing], "ALM")).toEqual([calm]);
    expect(named([calm, failing], undefined)).toHaveLength(2);
  });
});

describe("all services in one chart", () => {
  const series = (requests: number[], p95_ms: number) =>
    requests.map((count, step) => ({
      time: new Date(step * 30_000).toISOString(),
      covered_s: 30,
      requests: count,
      errors: 1,
      average_ms: null,
      max_ms: null,
      p50_ms: null,
      p95_ms,
      p99_ms: null,
    }));

  it("adds up traffic and errors by time, and puts the busiest first", () => {
    const both = together([
      service("a", { requests_per_s: 1, series: series([30, 60], 5) }),
      service("b", { requests_per_s: 9, series: series([0, 30, 90], 7) }),
    ]);
    expect(both.times).toEqual([0, 30, 60]);
    expect(both.requests_per_s).toEqual([1, 3, 3]);
    expect(both.errors).toEqual([2, 2, 1]);
    expect(both.p95s).toEqual([
      { service: "b", values: [7, 7, 7] },
      { service: "a", values: [5, 5, null] },
    ]);
  });

  it("is empty without services", () => {
    expect(together([])).toEqual({ times: [], requests_per_s: [], errors: [], p95s: [] });
  });
});

describe("nodes", () => {
  const disks = [
    { mountpoint: "/", used_bytes: 1, total_bytes: 10 },
    { mountpoint: "/data", used_bytes: 9, total_bytes: 10 },
    { mountpoint: "/proc", used_bytes: 0, total_bytes: 0 },
  ];

  it("are judged by the disk that will be full first", () => {
    expect(fullest(disks)?.mountpoint).toBe("/data");
    expect(fullest([])).toBeUndefined();
    expect(shareOf(0, 0)).toBeNull();
    expect(diskShare({ filesystems: [] } as never)).toBeNull();
  });
});

describe("the frame", () => {
  it("offers a time range where the page has one", () => {
    expect(
      ["/services", "/services/front", "/map", "/traces", "/nodes/web-1", "/nodejs/shop/web-1/7"].every(hasRange),
    ).toBe(true);
    expect(
      ["/live", "/nodes", "/traces/abc", "/tools", "/tools/runs/1", "/nodejs", "/nodejs/files/1"].some(hasRange),
    ).toBe(false);
  });

  it("does not let a list of traces run away under the reader's hand", () => {
    expect(refreshesItself("/traces")).toBe(false);
    expect(refreshesItself("/services")).toBe(true);
  });
});
