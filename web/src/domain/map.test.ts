import { describe, expect, it } from "vitest";

import type { MapEdge, MapNode, ServiceMap } from "../api/types";
import { disagrees } from "./mapCalls";
import { nearOf } from "./mapFocus";
import { atMoment } from "./mapMoment";
import { barsOf, stepAt } from "./timeLine";

const node = (id: string, requests = 9): MapNode => ({
  id,
  name: id,
  type: "service",
  system: "",
  requests,
  errors: 1,
  average_ms: 2,
  p95_ms: 5,
});
const edge = (source: string, target: string, requests = 9): MapEdge => ({
  source,
  target,
  requests,
  errors: 1,
  average_ms: 2,
  p95_ms: 5,
  is_message: false,
  known_by: "",
  other_end: null,
});

describe("the map around one node", () => {
  const edges = ["ab", "bc", "cd", "xb", "de", "ea"].map((pair) => edge(pair[0] as string, pair[1] as string));
  const near = (id: string, hops: 0 | 1 | 2 | 3) => [...nearOf(id, edges, hops)].sort().join("");

  it("reaches as far as is asked, to callers and to callees", () => {
    expect(near("c", 1)).toBe("bcd");
    expect(near("c", 2)).toBe("abcdex");
  });

  it("does not count who only calls the same", () => {
    expect(near("x", 1)).toBe("bx");
    expect(near("a", 1)).toBe("abe");
  });

  it("ends in circles, and knows nobody where nobody is", () => {
    expect(near("c", 0)).toBe("abcdex");
    expect(near("nobody", 3)).toBe("nobody");
  });
});

describe("the map of a moment", () => {
  const map = (nodes: MapNode[], edges: MapEdge[], to: string): ServiceMap => ({ from: "then", to, nodes, edges });

  it("has the picture of the whole time and the figures of the moment", () => {
    const whole = map([node("a"), node("b")], [edge("a", "b")], "end");
    const then = map([node("b", 3), node("new", 1)], [], "moment");
    const shown = atMoment(whole, then);
    expect(shown.to).toBe("moment");
    expect(shown.nodes.map(({ id, requests }) => [id, requests])).toEqual([
      ["a", 0],
      ["b", 3],
      ["new", 1],
    ]);
    expect(shown.edges).toEqual([{ ...edge("a", "b", 0), errors: 0, average_ms: null, p95_ms: null }]);
  });
});

describe("both ends of a call", () => {
  const seen = (waiting_ms: number, waiting_share: number | null) => ({
    other_end: { requests: 1, errors: 0, average_ms: 1, p95_ms: 1, waiting_ms, waiting_share },
  });

  it("disagree where a good part of the time is nobody's work", () => {
    expect(disagrees(seen(20, 0.4))).toBe(true);
    expect(disagrees(seen(20, 0.1))).toBe(false);
    expect(disagrees(seen(0.2, 0.9))).toBe(false);
    expect(disagrees(seen(900, null))).toBe(false);
    expect(disagrees({ other_end: null })).toBe(false);
  });
});

describe("the time line", () => {
  const moments = [
    { time: "2025-11-20T12:00:00Z", covered_s: 60, requests: 600, errors: 300 },
    { time: "2025-11-20T12:01:00Z", covered_s: 60, requests: 0, errors: 0 },
    { time: "2025-11-20T12:02:00Z", covered_s: 6, requests: 60, errors: 1 },
  ];

  it("draws rates, so that the step that still runs is not a drop", () => {
    const bars = barsOf(moments, 40);
    expect(bars.map(({ requests }) => requests)).toEqual([40, 0, 40]);
    expect(bars.map(({ errors }) => errors)).toEqual([20, 0, 1.5]);
    expect(barsOf([], 40)).toEqual([]);
  });

  it("finds the step of a moment", () => {
    expect(stepAt(moments, 60, Date.UTC(2025, 10, 20, 12, 1, 59))).toBe(1);
    expect(stepAt(moments, 60, Date.UTC(2025, 10, 20, 11))).toBe(-1);
  });
});
