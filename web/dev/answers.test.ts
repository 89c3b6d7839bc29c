import { describe, expect, it } from "vitest";

import type { Page, Service, Trace, TraceRow } from "../src/api/types";
import { answer } from "./answers";
import { HUGE_TRACE } from "./traces";

const NOW = Date.UTC(2025, 10, 20, 12);
const ask = (path: string, query = "", scenario: Parameters<typeof answer>[0] = "admin") =>
  answer(scenario, path, new URLSearchParams(query), NOW);

describe("canned answers", () => {
  it("are the same each time", () => {
    for (const path of [
      "/services",
      "/services/orders",
      "/map",
      "/map/history",
      "/traces",
      "/traces/attributes",
      `/traces/${"a".repeat(32)}/compare/${"b".repeat(32)}`,
      "/statistics",
      "/statistics/day",
      "/statistics/histogram",
      "/statistics/top",
      "/apps/shop/settings",
      "/apps/shop/names",
      "/slow",
      "/errors",
      "/deploys",
      "/alarms",
      "/alarms/summary",
      "/alarms/history",
      "/alarms/rules",
      "/alarms/rules/a1",
      "/alarms/notifiers/b1",
      "/alarms/backtest",
      "/nodes",
      "/nodes/web-1",
      "/tools",
      "/processes",
      "/jobs",
      "/jobs/run-0",
      "/nodejs/instances",
      "/nodejs/processes",
      "/nodejs/files",
      "/nodejs/files/1",
    ]) {
      expect(ask(path)).toEqual(ask(path));
      expect(ask(path).status).toBe(200);
    }
  });

  it("page through ten thousand services", () => {
    const first = ask("/services", "", "many").body as Page<Service>;
    expect(first.items).toHaveLength(1000);
    expect((ask("/services", "cursor=9000", "many").body as Page<Service>).next).toBeNull();
  });

  it("filter traces as the server does", () => {
    const { items } = ask("/traces", "service=orders&error=true&min_ms=20").body as Page<TraceRow>;
    expect(items.every((row) => row.service === "orders" && row.error && row.duration_ms >= 20)).toBe(true);
  });

  it("have a trace of 100,000 spans in drawing order", () => {
    const { spans } = ask(`/traces/${HUGE_TRACE}`).body as Trace;
    expect(spans).toHaveLength(100_000);
    expect(spans.every((span, index) => index === 0 || span.depth <= (spans[index - 1]?.depth ?? 0) + 1)).toBe(true);
  });

  it("refuse as the server does", () => {
    expect(ask("/services/nobody").status).toBe(404);
    expect(ask("/services", "", "broken").status).toBe(503);
  });
});
