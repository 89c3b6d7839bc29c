import { describe, expect, it } from "vitest";

import { translate } from "../i18n";
import { draftOf, inWords, isRate, isSame, isSlow, saysNothing, whoOf, wishOf } from "./sampling";

const t: Parameters<typeof inWords>[1] = (key, values) => translate("en", key, values);
const wish = (sampling_rate: number | null, slow_ms: number | null, sampling_follows_parent: boolean | null) => ({
  sampling_rate,
  slow_ms,
  sampling_follows_parent,
});

describe("what is said about sampling", () => {
  it("comes back from the fields as it went into them", () => {
    for (const said of [wish(null, null, null), wish(0, 0, false), wish(12.5, 300, true), wish(100, null, null)])
      expect(wishOf(draftOf(said))).toEqual(said);
  });

  it("takes an empty field as configured, and a zero as a zero", () => {
    expect(wishOf({ rate: "", slow: " ", caller: "" })).toEqual(wish(null, null, null));
    expect(wishOf({ rate: "0", slow: 0, caller: "own" })).toEqual(wish(0, 0, false));
    expect(saysNothing(wish(null, null, null))).toBe(true);
    expect(saysNothing(wish(0, null, null))).toBe(false);
    expect(saysNothing(wish(null, null, false))).toBe(false);
  });

  it("has a rate of 0 to 100 and a duration that is none below zero", () => {
    expect(["", 0, "12.5", 100].every(isRate)).toBe(true);
    expect([-1, 100.1, "x", "-"].some(isRate)).toBe(false);
    expect(["", 0, 1e9].every(isSlow)).toBe(true);
    expect([-1, 1.1e9, "."].some(isSlow)).toBe(false);
  });

  it("is told apart from what was said before", () => {
    expect(isSame(wish(1, null, null), wish(1, null, null))).toBe(true);
    expect(isSame(wish(0, null, null), wish(null, null, null))).toBe(false);
    expect(isSame(wish(1, 2, null), wish(1, 2, false))).toBe(false);
  });

  it("is said in a few words", () => {
    expect(inWords(wish(null, null, null), t)).toBe("as configured");
    expect(inWords(wish(10, null, null), t)).toBe("10 %");
    expect(inWords(wish(0.5, 1500, false), t)).toBe("0.5 %, slow from 1,500 ms");
    expect(inWords(wish(null, null, false), t)).toBe("decide here all the same");
    expect(inWords(wish(null, 0, null), t)).toBe("none is slow");
  });

  it("names who said it", () => {
    const by = (changed_by: string) =>
      whoOf({ ...wish(1, null, null), app: "a", service: "s", changed_at: null, changed_by }, t);
    expect(by("user:admin")).toBe("admin");
    expect(by("user:a:b")).toBe("a:b");
    expect(by("token:5db42106d4dd")).toBe("token 5db42106d4dd");
  });
});
