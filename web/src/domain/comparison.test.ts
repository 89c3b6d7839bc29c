import { describe, expect, it } from "vitest";

import type { ComparedSpan } from "../api/tracesTypes";
import { differs, stateOf } from "./comparison";

const span = (more: Partial<ComparedSpan> = {}): ComparedSpan => ({
  depth: 0,
  service: "front",
  name: "GET /",
  kind: "server",
  peer: "",
  span_a: "1",
  span_b: "2",
  duration_a_ms: 100,
  duration_b_ms: 101,
  self_a_ms: 1,
  self_b_ms: 1,
  error_a: false,
  error_b: false,
  ...more,
});

describe("two spans at the same place", () => {
  it("are in both traces, or in one of them", () => {
    expect([stateOf(span()), stateOf(span({ span_a: "" })), stateOf(span({ span_b: "" }))]).toEqual([
      "both",
      "new",
      "gone",
    ]);
  });

  it("differ when that makes a part of the request", () => {
    expect(differs(span(), 100)).toBe(false);
    expect(differs(span({ duration_b_ms: 97 }), 100)).toBe(true);
    expect(differs(span({ error_b: true }), 100)).toBe(true);
    expect(differs(span({ span_a: "", duration_a_ms: null }), 100)).toBe(true);
  });
});
