import { describe, expect, it } from "vitest";

import { fullness, healthOf, toneOf } from "./health";

describe("health", () => {
  it.each([
    [{ requests: 0, errors: 0, apdex: null }, "idle"],
    [{ requests: 1000, errors: 0, apdex: 1 }, "ok"],
    [{ requests: 1000, errors: 9 }, "ok"],
    [{ requests: 1000, errors: 10 }, "warn"],
    [{ requests: 1000, errors: 50 }, "error"],
    [{ requests: 1000, errors: 0, apdex: 0.8 }, "warn"],
    [{ requests: 1000, errors: 0, apdex: 0.4 }, "error"],
  ])("of %o is %s", (judged, expected) => {
    expect(healthOf(judged)).toBe(expected);
  });

  it("colours only the figures that need a look", () => {
    expect(toneOf({ requests: 100, errors: 0 })).toBeUndefined();
    expect(toneOf({ requests: 100, errors: 2 })).toBe("warn");
  });

  it("knows how full is too full", () => {
    expect([null, 0.5, 0.8, 0.95].map(fullness)).toEqual(["idle", "ok", "warn", "error"]);
  });
});
