import { describe, expect, it } from "vitest";

import { randomFrom } from "../../../dev/random";
import { type Call, columnsOf } from "./columns";
import { apart, freeRow, type Spots, spotsOf } from "./spots";

const calls = (...pairs: string[]): Call[] =>
  pairs.map((pair) => ({ source: pair[0] as string, target: pair[1] as string }));
const at = (spots: Spots, id: string) => {
  const spot = spots.get(id);
  return spot && [spot.column, spot.row];
};

/** A map of some size, the same each time. */
function company(size: number): { ids: string[]; edges: Call[] } {
  const random = randomFrom(7);
  const ids = Array.from({ length: size }, (_, index) => `n${String(index).padStart(4, "0")}`);
  const edges = ids.flatMap((source) =>
    Array.from({ length: 2 }, () => ({ source, target: ids[Math.floor(random() * size)] as string })),
  );
  return { ids, edges };
}

describe("columns of the map", () => {
  it("are the longest way from who is called by nobody", () => {
    expect(columnsOf([..."abcd"], calls("ab", "bc", "ac", "cd"))).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });

  it("have callers that nobody calls just left of whom they call", () => {
    expect(columnsOf([..."abcx"], calls("ab", "bc", "xc"))).toEqual([["a"], ["b", "x"], ["c"]]);
  });

  it("do not mind circles", () => {
    expect(columnsOf([..."abc"], calls("ab", "bc", "ca"))).toEqual([["a"], ["b"], ["c"]]);
    expect(columnsOf([..."ab"], calls("ab", "ba", "aa"))).toEqual([["a"], ["b"]]);
  });

  it("have an order without needless crossings", () => {
    expect(columnsOf([..."abxy"], calls("ay", "bx"))).toEqual([
      ["a", "b"],
      ["y", "x"],
    ]);
  });

  it("are split where they would be much taller than the map is wide", () => {
    const leaves = Array.from({ length: 60 }, (_, index) => `leaf${index}`);
    const columns = columnsOf(
      ["a", ...leaves],
      leaves.map((target) => ({ source: "a", target })),
    );
    expect(Math.max(...columns.map((column) => column.length))).toBeLessThanOrEqual(15);
    expect(columns.flat()).toHaveLength(61);
  });
});

describe("rows", () => {
  it("go where they want to when there is room", () => {
    expect(apart([0, 5, 9])).toEqual([0, 5, 9]);
  });

  it("share out what they both want, and keep their order", () => {
    expect(apart([3, 3])).toEqual([2.5, 3.5]);
    expect(apart([4, 0])).toEqual([1.5, 2.5]);
    expect(apart([0, 0, 0, 10])).toEqual([-1, 0, 1, 10]);
  });

  it("are found beside those that are taken", () => {
    const taken = [0, 1, 2].map((row) => ({ column: 0, row }));
    expect(freeRow(1.2, taken)).toBe(3);
    expect(freeRow(0.6, taken)).toBe(-1);
    expect(freeRow(7, taken)).toBe(7);
  });
});

describe("spots of a map", () => {
  const ids = [..."abcd"];
  const edges = calls("ab", "ac", "bd", "cd");

  it("are the same in whatever order the answer comes", () => {
    const turned = spotsOf([...ids].reverse(), [...edges].reverse());
    expect([...turned].sort()).toEqual([...spotsOf(ids, edges)].sort());
  });

  it("put a node beside the middle of its neighbours", () => {
    const spots = spotsOf(ids, edges);
    expect([at(spots, "a"), at(spots, "b"), at(spots, "c"), at(spots, "d")]).toEqual([
      [0, 0],
      [1, -0.5],
      [1, 0.5],
      [2, 0],
    ]);
  });

  it("stay where they are when a node comes, which stands right of its caller", () => {
    const before = spotsOf(ids, edges);
    const after = spotsOf([...ids, "e"], [...edges, ...calls("ae")], before);
    for (const id of ids) expect(after.get(id)).toEqual(before.get(id));
    expect(at(after, "e")?.[0]).toBe(1);
    expect([-1.5, 1.5]).toContain(at(after, "e")?.[1]);
  });

  it("keep the place of a node that is gone for a while", () => {
    const before = spotsOf(ids, edges);
    const without = spotsOf(["a", "b", "d", "e"], calls("ab", "ae", "bd"), before);
    expect(at(without, "e")).not.toEqual(at(before, "c"));
    expect(spotsOf(ids, edges, before)).toEqual(before);
  });

  it("are chosen anew for another map", () => {
    const known: Spots = new Map([["a", { column: 70, row: 70 }]]);
    expect(spotsOf(ids, edges, known)).toEqual(spotsOf(ids, edges));
  });

  it("never cover each other, however many come later", () => {
    const { ids: all, edges: every } = company(500);
    const first = all.slice(0, 300);
    const spots = spotsOf(all, every, spotsOf(first, every));
    const list = [...spots.values()];
    const covering = list.filter((spot, index) =>
      list.slice(index + 1).some((other) => other.column === spot.column && Math.abs(other.row - spot.row) < 0.999),
    );
    expect(spots.size).toBe(500);
    expect(covering).toEqual([]);
  });
});
