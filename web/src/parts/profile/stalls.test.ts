import { describe, expect, it } from "vitest";

import { barsOf, isCause, isTrace, type Stall } from "./stalls";

const stall = (began_unix_ns: number, ns: number) => ({ began_unix_ns, ns }) as Stall;

describe("stalls", () => {
  it("stand on the time axis of the run, as wide and high as they were long", () => {
    const bars = barsOf({ stalls: [stall(1000, 50), stall(1600, 200)], duration_ns: 1000 });
    expect(bars.map(({ left, width, height }) => [left, width, height])).toEqual([
      [0, 0.05, 0.25],
      [0.6, 0.2, 1],
    ]);
  });

  it("that outlast the run are in view all the same", () => {
    const [bar] = barsOf({ stalls: [stall(0, 5000)], duration_ns: 1000 });
    expect(bar?.width).toBe(1);
    expect(barsOf({ stalls: [], duration_ns: 1 })).toEqual([]);
  });

  it("know their causes and traces", () => {
    expect([isCause("gil_wait"), isCause("meteor")]).toEqual([true, false]);
    expect([isTrace("0".repeat(32)), isTrace(""), isTrace(`${"0".repeat(31)}a`)]).toEqual([false, false, true]);
  });
});
