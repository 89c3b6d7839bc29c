import { describe, expect, it } from "vitest";

import type { Span } from "../../api/types";
import { matchesOf, moved, rowOf, treeOf, unfoldedFor, visibleRows } from "./rows";
import { coveredByChildren } from "./selfTime";

function span(id: string, depth: number, more: Partial<Span> = {}): Span {
  return {
    span_id: id,
    parent_id: "",
    app: "shop",
    service: "front",
    instance: "",
    name: id,
    kind: "internal",
    start_time: "2025-11-20T12:00:00Z",
    offset_ms: 0,
    duration_ms: 1,
    self_ms: 1,
    error: false,
    status_message: "",
    status_code: 0,
    peer: "",
    statement: "",
    depth,
    attributes: {},
    events: [],
    links: [],
    ...more,
  };
}

/** a(b(c, d), e), f */
const FOREST = [span("a", 0), span("b", 1), span("c", 2), span("d", 2, { error: true }), span("e", 1), span("f", 0)];
const tree = treeOf(FOREST);
const names = (rows: Int32Array) => [...rows].map((index) => FOREST[index]?.span_id).join("");
const NOTHING_FOLDED: ReadonlySet<number> = new Set();

describe("the tree of a trace", () => {
  it("is read from the depths of the spans", () => {
    expect([...tree.parent]).toEqual([-1, 0, 1, 1, 0, -1]);
    expect([...tree.end]).toEqual([5, 4, 3, 4, 5, 6]);
  });

  it("knows which branches hide an error", () => {
    expect([...tree.errorBelow]).toEqual([1, 1, 0, 0, 0, 0]);
  });

  it("holds no spans when there are none", () => {
    expect(visibleRows(treeOf([]), NOTHING_FOLDED)).toHaveLength(0);
  });
});

describe("rows in view", () => {
  it("are all spans, without those of folded branches", () => {
    expect(names(visibleRows(tree, NOTHING_FOLDED))).toBe("abcdef");
    expect(names(visibleRows(tree, new Set([1])))).toBe("abef");
    expect(names(visibleRows(tree, new Set([0, 1])))).toBe("af");
  });

  it("place a hidden span at the branch that hides it", () => {
    const rows = visibleRows(tree, new Set([1]));
    expect(names(rows.subarray(rowOf(rows, 3), rowOf(rows, 3) + 1))).toBe("b");
  });

  it("open up for a span that is to be shown", () => {
    expect([...unfoldedFor(tree, new Set([0, 1, 4]), 3)]).toEqual([4]);
  });

  it("fold 100,000 spans without recursion", () => {
    const deep = treeOf(Array.from({ length: 100_000 }, (_, index) => span(String(index), index)));
    expect(visibleRows(deep, NOTHING_FOLDED)).toHaveLength(100_000);
    expect(visibleRows(deep, new Set([10]))).toHaveLength(11);
  });
});

describe("keys", () => {
  const press = (selected: number, folded: ReadonlySet<number>, ...keys: Parameters<typeof moved>[3][]) =>
    keys.reduce((state, key) => moved(tree, visibleRows(tree, state.folded), state, key, 3), { selected, folded });

  it("go to the first row when nothing is chosen", () => {
    expect(press(-1, NOTHING_FOLDED, "down").selected).toBe(0);
  });

  it("move among the rows in view and stop at the ends", () => {
    expect(press(1, new Set([1]), "down").selected).toBe(4);
    expect(press(5, NOTHING_FOLDED, "down").selected).toBe(5);
    expect(press(0, NOTHING_FOLDED, "pageDown").selected).toBe(3);
    expect(press(3, NOTHING_FOLDED, "last", "up").selected).toBe(4);
  });

  it("enter a branch to the right: open first, then go in", () => {
    expect([...press(1, new Set([1]), "in").folded]).toEqual([]);
    expect(press(1, new Set([1]), "in", "in").selected).toBe(2);
    expect(press(2, NOTHING_FOLDED, "in").selected).toBe(2);
  });

  it("leave a branch to the left: close first, then go to the parent", () => {
    expect([...press(1, NOTHING_FOLDED, "out").folded]).toEqual([1]);
    expect(press(1, NOTHING_FOLDED, "out", "out").selected).toBe(0);
    expect(press(2, NOTHING_FOLDED, "out").selected).toBe(1);
  });
});

describe("search", () => {
  const spans = [
    span("GET /orders", 0, { attributes: { "user.tier": "gold" } }),
    span("sqlite SELECT", 1, { statement: "SELECT * FROM orders", peer: "orders.db" }),
  ];

  it("finds every word wherever it stands, in any case", () => {
    expect(matchesOf(spans, "ORDERS")).toEqual([0, 1]);
    expect(matchesOf(spans, "orders select")).toEqual([1]);
    expect(matchesOf(spans, "user.tier=gold")).toEqual([0]);
    expect(matchesOf(spans, "  ")).toEqual([]);
  });
});

describe("time that children took", () => {
  const covered = (children: [number, number][]) =>
    coveredByChildren(
      treeOf([
        span("parent", 0, { offset_ms: 10, duration_ms: 100 }),
        ...children.map(([offset_ms, duration_ms], index) => span(String(index), 1, { offset_ms, duration_ms })),
      ]),
      0,
    );

  it("is merged where children overlap", () => {
    const children: [number, number][] = [
      [20, 10],
      [25, 20],
      [60, 5],
    ];
    expect(covered(children)).toEqual([20, 45, 60, 65]);
  });

  it("ends where the parent ends, whatever a child in the background does", () => {
    const children: [number, number][] = [
      [100, 500],
      [700, 5],
    ];
    expect(covered(children)).toEqual([100, 110]);
  });
});
