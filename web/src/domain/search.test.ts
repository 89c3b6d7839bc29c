import { describe, expect, it } from "vitest";

import { parseSearch, readFlag, readNumber, readOneOf, readText, readTexts, writeSearch } from "./search";

describe("an address", () => {
  it("comes back as it was written, whatever the names are", () => {
    const search = { service: "a b/c?&=%#", endpoint: "GET /用户/{id}", attribute: 'x="1"', span: "0123456789012345" };
    expect(parseSearch(writeSearch(search))).toEqual(search);
  });

  it("keeps what is given several times, in its order", () => {
    const search = { attribute: ["a=1", "b>2&c"], q: "x" };
    expect(writeSearch(search)).toBe("?attribute=a%3D1&attribute=b%3E2%26c&q=x");
    expect(parseSearch(writeSearch(search))).toEqual(search);
    expect(readTexts(search.attribute)).toEqual(["a=1", "b>2&c"]);
    expect(readTexts("a=1")).toEqual(["a=1"]);
    expect(readTexts(["", 7])).toEqual(["7"]);
    expect(readTexts("")).toBeUndefined();
    expect(readText(search.attribute)).toBeUndefined();
  });

  it("leaves out what is not set", () => {
    expect(writeSearch({ a: undefined, b: null, c: "" })).toBe("");
    expect(writeSearch({ min_ms: 0, error: true })).toBe("?min_ms=0&error=true");
  });

  it("is read by type, and a bad value is none", () => {
    expect(readNumber("12.5")).toBe(12.5);
    expect(readNumber("")).toBeUndefined();
    expect(readNumber("12px")).toBeUndefined();
    expect(readNumber(Number.POSITIVE_INFINITY)).toBeUndefined();
    expect(readFlag("true")).toBe(true);
    expect(readFlag("false")).toBeUndefined();
    expect(readText(7)).toBe("7");
    expect(readOneOf("slowest", ["newest", "slowest"])).toBe("slowest");
    expect(readOneOf("fastest", ["newest", "slowest"])).toBeUndefined();
  });
});
