import { describe, expect, it } from "vitest";

import { callChanges } from "./callChanges";
import { type CallsFile, callsOf } from "./calls";

const run = (seconds: number, functions: CallsFile["functions"], ...calls: [number, number, number][]) =>
  callsOf({
    format: "sonde.calls.v1",
    duration_ns: seconds * 1e9,
    functions,
    edges: calls.map(([times, total, self], callee) => [-1, callee, times, total, self]),
  });

describe("two runs of calls", () => {
  const before = run(
    2,
    [
      ["price", "shop.py", 12],
      ["gone", "shop.py", 40],
    ],
    [200, 8000, 4000],
    [2, 100, 100],
  );
  const now = run(
    4,
    [
      ["price", "shop.py", 15],
      ["<lambda>", "shop.py", 20],
      ["<lambda>", "shop.py", 21],
    ],
    [1600, 32_000, 24_000],
    [4, 40, 40],
    [8, 80, 80],
  );
  const found = Object.fromEntries(callChanges(before, now).map((row) => [row.name, row]));

  it("are compared by the second, whatever lines have moved", () => {
    expect(found.price).toMatchObject({ line: 15, calls: 300, self: 4000 });
    expect(found.price?.before).toEqual({ calls: 100, self: 2000, total: 4000, each: 40 });
    expect(found.price?.now?.each).toBe(20);
  });

  it("say what is new and what has gone", () => {
    expect(found.gone).toMatchObject({ now: null, calls: -1, self: -50 });
    expect(found["<lambda>"]).toMatchObject({ before: null, calls: 3, self: 30 });
  });
});
