import { describe, expect, it } from "vitest";

import type { Span } from "../../api/types";
import { during, instancesOf, searchedBefore } from "./runsDuring";

const TRACE = { start_time: "2025-11-20T12:00:00.000Z", duration_ms: 1500 };
const at = (seconds: number) => new Date(Date.UTC(2025, 10, 20, 12) + seconds * 1000).toISOString();

describe("runs of a trace", () => {
  it("overlap with it", () => {
    const seen = (from: number, to: number | null) =>
      during({ started_at: at(from), ended_at: to === null ? null : at(to) }, TRACE);
    expect([seen(-5, 1), seen(1, 9), seen(-5, null), seen(0.2, 0.4)]).toEqual([true, true, true, true]);
    expect([seen(-5, -1), seen(2, 9), seen(2, null)]).toEqual([false, false, false]);
    expect(during({ started_at: null, ended_at: null }, TRACE)).toBe(false);
  });

  it("are looked for in its processes, the slowest first, and not in all of a hundred", () => {
    const span = (instance: string, duration_ms: number) => ({ instance, duration_ms }) as Span;
    expect(instancesOf({ spans: [span("a", 1), span("b", 9), span("", 99), span("a", 20)] })).toEqual(["a", "b"]);
    expect(instancesOf({ spans: Array.from({ length: 100 }, (_, index) => span(`i${index}`, index)) })).toHaveLength(6);
  });

  it("may have begun long before it", () => {
    const { from, to } = searchedBefore(TRACE);
    expect([from, to]).toEqual([Date.UTC(2025, 10, 20, 11), Date.UTC(2025, 10, 20, 12) + 1500]);
  });
});
