import { describe, expect, it } from "vitest";

import type { StatisticsRow } from "../../api/statisticsTypes";
import { below, fits, orderOf, tracesOf } from "./drill";

const row = (more: Partial<StatisticsRow>) =>
  ({ app: "a1", service: null, endpoint: null, instance: null, status_code: null, ...more }) as StatisticsRow;

describe("rows of statistics", () => {
  it("lead from services to endpoints to instances to status codes, and keep the way", () => {
    const service = below(row({ service: "orders" }), "service", {});
    expect(service).toEqual({ app: "a1", service: "orders", by: "endpoint" });
    const endpoint = below(row({ service: "orders", endpoint: "GET /x" }), "endpoint", { app: "a1" });
    expect(endpoint).toMatchObject({ service: "orders", endpoint: "GET /x", by: "instance" });
    const instance = below(row({ instance: "web-1:7" }), "instance", { service: "orders", endpoint: "GET /x" });
    expect(instance).toMatchObject({ endpoint: "GET /x", instance: "web-1:7", by: "status" });
    expect(below(row({ status_code: 502 }), "status", { status: "502" })).toBeUndefined();
  });

  it("are not followed into what is no service", () => {
    expect(below(row({ peer: "db:5432", peer_type: "database" }), "callee", { service: "orders" })).toBeUndefined();
    expect(below(row({ peer: "mail", peer_type: "service" }), "callee", { service: "orders" })).toEqual({
      app: "a1",
      service: "mail",
      by: "endpoint",
    });
  });

  it("lead to the traces behind them", () => {
    expect(tracesOf(row({ status_code: 502 }), "status", { service: "orders" })).toMatchObject({
      service: "orders",
      status: "502",
    });
    const call = row({ service: "front", peer: "orders", peer_type: "service" });
    expect(tracesOf(call, "callee", {})).toEqual({ app: "a1", service: "orders" });
    expect(tracesOf({ ...call, peer: "db:5432", peer_type: "database" }, "callee", {})).toEqual({
      app: "a1",
      service: "front",
      peer: "db:5432",
      any_span: true,
    });
  });

  it("of calls are asked for without filters that calls do not have", () => {
    expect(fits("callee", { service: "orders" })).toBe(true);
    expect(fits("callee", { endpoint: "GET /x" })).toBe(false);
    expect(fits("status", { endpoint: "GET /x" })).toBe(true);
  });

  it("are in the order of the server", () => {
    expect(["-p95", "success", "name", "-nonsense"].map(orderOf)).toEqual(["p95", "error_rate", "name", "requests"]);
  });
});
