import { describe, expect, it } from "vitest";

import { moved, ticks, timeAt, wholeOf, xOf, zoomed } from "./timeScale";

describe("the window of a waterfall", () => {
  it("keeps the point under the pointer while it zooms", () => {
    const window = zoomed({ from: 0, to: 100 }, 0.5, 20, 100);
    expect(window).toEqual({ from: 10, to: 60 });
    expect(xOf(20, window, 500)).toBe(xOf(20, { from: 0, to: 100 }, 500));
  });

  it("never leaves the trace", () => {
    expect(zoomed({ from: 0, to: 100 }, 3, 50, 100)).toEqual({ from: 0, to: 100 });
    expect(moved({ from: 60, to: 80 }, 500, 100)).toEqual({ from: 80, to: 100 });
    expect(moved({ from: 60, to: 80 }, -500, 100)).toEqual({ from: 0, to: 20 });
  });

  it("has a width even when the trace has none", () => {
    const whole = wholeOf(0);
    expect(whole.to).toBeGreaterThan(whole.from);
    expect(ticks(whole, 500).every(Number.isFinite)).toBe(true);
  });

  it("maps times to pixels and back", () => {
    expect(timeAt(xOf(37, { from: 10, to: 90 }, 640), { from: 10, to: 90 }, 640)).toBeCloseTo(37);
  });

  it("has round ticks with room for their labels", () => {
    expect(ticks({ from: 0, to: 248 }, 480)).toEqual([0, 50, 100, 150, 200]);
    expect(ticks({ from: 41, to: 43 }, 480)).toEqual([41, 41.5, 42, 42.5, 43]);
  });
});
