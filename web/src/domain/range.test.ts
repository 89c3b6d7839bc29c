import { describe, expect, it } from "vitest";

import { betweenOf, rangeKey, rangeOf, readRangeSearch } from "./range";

describe("the time range of an address", () => {
  it("is the last 15 minutes, refreshed, when the address says nothing", () => {
    expect(rangeOf({})).toEqual({ kind: "last", span: "15m", refresh_s: 10 });
  });

  it("reads text as it stands in the address bar", () => {
    expect(readRangeSearch({ range: "6h", refresh: "30" })).toEqual({ range: "6h", refresh: 30 });
    expect(readRangeSearch({ from: "1000", to: "2000" })).toEqual({ from: 1000, to: 2000 });
  });

  it.each([
    [{ range: "6 weeks" }],
    [{ range: "8d" }],
    [{ from: "2000", to: "1000" }],
    [{ from: "yesterday", to: "now" }],
    [{ from: 1000 }],
    [{ from: 1e99, to: 2e99 }],
    [{ refresh: "7" }],
    [{ range: ["1h"] }],
  ])("takes %o as if it were not there", (search) => {
    expect(readRangeSearch(search)).toEqual({});
  });

  it("ends now when it is relative, and stays when it is fixed", () => {
    expect(betweenOf(rangeOf({ range: "1h" }), 7_200_000)).toEqual({ from: 3_600_000, to: 7_200_000 });
    expect(betweenOf(rangeOf({ from: 5, to: 9 }), 7_200_000)).toEqual({ from: 5, to: 9 });
  });

  it.each([
    ["5m", 300_000],
    ["1h", 3_600_000 + 17_000],
    ["24h", 86_400_000 + (13 * 60 + 17) * 1000],
    ["7d", 7 * 86_400_000 + (43 * 60 + 17) * 1000],
    ["14d", 14 * 86_400_000 + (5 * 3600 + 43 * 60 + 17) * 1000],
    ["30d", 30 * 86_400_000 + (5 * 3600 + 43 * 60 + 17) * 1000],
  ] as const)("of %s begins with a whole slot, a little earlier", (range, length) => {
    const now = Date.UTC(2026, 10, 22, 5, 43, 17);
    expect(betweenOf(rangeOf({ range }), now)).toEqual({ from: now - length, to: now });
  });

  it("does not refresh what is over", () => {
    expect(rangeOf({ from: 5, to: 9, refresh: 10 }).refresh_s).toBe(0);
  });

  it("is cached under one key however often it is asked for", () => {
    expect(rangeKey(rangeOf({ range: "1h", refresh: 5 }))).toBe(rangeKey(rangeOf({ range: "1h", refresh: 60 })));
    expect(rangeKey(rangeOf({ from: 5, to: 9 }))).not.toBe(rangeKey(rangeOf({ from: 5, to: 10 })));
  });
});
