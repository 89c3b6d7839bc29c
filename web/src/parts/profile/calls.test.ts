import { describe, expect, it } from "vitest";

import { placed } from "./callLayout";
import { aroundFunction, type CallsFile, callsOf, centreOf, functionInAddress, surroundings } from "./calls";
import { BadProfile } from "./profile";

const FILE: CallsFile = {
  format: "sonde.calls.v1",
  duration_ns: 1000,
  functions: [
    ["main", "/app/shop.py", 1],
    ["price", "/app/shop.py", 12],
    ["discount", "/app/shop.py", 30],
    ["len", "", 0],
  ],
  edges: [
    [-1, 0, 1, 900, 100],
    [0, 1, 10, 700, 200],
    [1, 1, 40, 0, 50],
    [1, 2, 50, 400, 380],
    [2, 3, 90, 20, 20],
    [0, 2, 1, 5, 5],
  ],
  waiting_ns: [0, 30, 0, 0],
};

describe("counted calls", () => {
  const calls = callsOf(FILE);

  it("add up by function", () => {
    expect(
      calls.rows.map(({ name, calls: times, self, total, waiting }) => [name, times, self, total, waiting]),
    ).toEqual([
      ["main", 1, 100, 900, 0],
      ["price", 50, 250, 700, 30],
      ["discount", 51, 385, 405, 0],
      ["len", 90, 20, 20, 0],
    ]);
    expect(calls.weight).toBe(755);
  });

  it("say who called and who was called, also from outside", () => {
    const around = aroundFunction(calls, 1, "(outside)");
    expect(around.callers.map(({ name, calls: times, weight }) => [name, times, weight])).toEqual([
      ["main", 10, 700],
      ["price", 40, 0],
    ]);
    expect(around.callees.map(({ name }) => name)).toEqual(["discount", "price"]);
    expect(aroundFunction(calls, 0, "(outside)").callers[0]?.name).toBe("(outside)");
  });

  it("are drawn around a function, the heaviest calls first", () => {
    expect(surroundings(calls, 0, 2).functions).toEqual([0, 1]);
    expect(surroundings(calls, 3, 3)).toEqual({
      functions: [3, 2, 1],
      edges: [
        { caller: 1, callee: 2, calls: 50, weight: 400 },
        { caller: 2, callee: 3, calls: 90, weight: 20 },
      ],
    });
  });

  it("have a place each, callers left", () => {
    const { boxes, lines, width, height } = placed(surroundings(calls, 0, 10));
    const x = (index: number) => (boxes.get(index) as { x: number }).x;
    expect([x(0) < x(1), x(1) < x(2), x(2) < x(3)]).toEqual([true, true, true]);
    expect(lines).toHaveLength(4);
    expect(Math.min(width, height)).toBeGreaterThan(40);
    expect(lines.every(({ path }) => /^M[-\d.]+ [-\d.]+[QL]/.test(path))).toBe(true);
  });

  it("begin with the function that did most, or the one in the address", () => {
    expect(centreOf(calls, undefined)).toBe(2);
    expect(centreOf(calls, functionInAddress(calls, 3))).toBe(3);
    expect(centreOf(calls, "gone")).toBe(2);
    expect(centreOf(callsOf({ ...FILE, functions: [], edges: [] }), undefined)).toBe(0);
  });

  it("are refused when they lead nowhere", () => {
    expect(() => callsOf({ ...FILE, edges: [[0, 9, 1, 1, 1]] })).toThrow(BadProfile);
  });
});
