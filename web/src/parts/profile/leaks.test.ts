import { describe, expect, it } from "vitest";

import { type LeakSite, risen, siteKey, thinned, urgency } from "./leaks";

const site = (verdict: string, bytes: number): LeakSite => ({
  file: "/app/shop.py",
  line: 3,
  type: "list",
  via: null,
  verdict,
  why: "",
  bytes,
  blocks: 1,
  bytes_per_loop: 1,
  approximate: false,
  chain: [],
});

describe("leaks", () => {
  it("stand before what is harmless, the largest first, and a new verdict last", () => {
    const sites = [site("warm-up", 9e9), site("new", 9e12), site("leak", 10), site("unsure", 1), site("leak", 500)];
    const order = sites.sort((a, b) => urgency(a) - urgency(b)).map(({ verdict, bytes }) => `${verdict} ${bytes}`);
    expect(order).toEqual(["leak 500", "leak 10", "unsure 1", "warm-up 9000000000", "new 9000000000000"]);
    expect(siteKey(site("leak", 1))).toBe("/app/shop.py:3 list");
  });

  it("are drawn with as many points as can be seen, the last among them", () => {
    const points = Array.from({ length: 1001 }, (_, index) => index);
    const few = thinned(points, 100);
    expect(few.length).toBeLessThanOrEqual(101);
    expect(few.at(-1)).toBe(1000);
    expect(thinned([1, 2, 3], 100)).toEqual([1, 2, 3]);
    expect(thinned([])).toEqual([]);
  });

  it("are seen in the rise of the process", () => {
    expect(risen([55, 57, 54])).toEqual([1, 3, 0]);
    expect(risen([])).toEqual([]);
  });
});
