import { describe, expect, it } from "vitest";

import { spreadByDuration } from "./similar";

const rows = (...durations: number[]) => durations.map((duration_ms) => ({ duration_ms }));

describe("requests like another", () => {
  it("reach from the fastest to the slowest, with the typical one in the middle", () => {
    const many = rows(...Array.from({ length: 101 }, (_, index) => (index * 37) % 101));
    expect(spreadByDuration(many, 5)).toEqual(rows(0, 25, 50, 75, 100));
  });

  it("are all shown where they are few", () => {
    expect(spreadByDuration(rows(9, 3), 5)).toEqual(rows(3, 9));
    expect(spreadByDuration([], 5)).toEqual([]);
  });
});
