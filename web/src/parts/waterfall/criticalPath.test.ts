import { describe, expect, it } from "vitest";

import { criticalByRow, criticalMs } from "./criticalPath";

const PATH = [
  { span: 0, from_ms: 0, to_ms: 10 },
  { span: 2, from_ms: 10, to_ms: 40 },
  { span: 0, from_ms: 40, to_ms: 45 },
];

describe("the critical path by row", () => {
  it("has all stretches of a span in one row", () => {
    expect([...criticalByRow(PATH)]).toEqual([
      [0, [0, 10, 40, 45]],
      [2, [10, 40]],
    ]);
  });

  it("adds up to what was waited for", () => {
    expect([criticalMs(PATH, 0), criticalMs(PATH, 1), criticalMs(PATH, 2)]).toEqual([15, 0, 30]);
  });
});
