import { describe, expect, it } from "vitest";

import { conditionsOf, isComplete, OPERATORS, readCondition, writeCondition } from "./conditions";

describe("a condition on an attribute", () => {
  it("is read as it is written, with every operator", () => {
    for (const operator of OPERATORS) {
      const condition = { key: "http.route", operator, value: operator === "?" ? "" : "7" };
      expect(readCondition(writeCondition(condition))).toEqual(condition);
    }
  });

  it("ends its key at the first operator", () => {
    expect(readCondition("a=b=c")).toEqual({ key: "a", operator: "=", value: "b=c" });
    expect(readCondition("a>=1")).toEqual({ key: "a", operator: ">=", value: "1" });
    expect(readCondition("a~x\ny")).toEqual({ key: "a", operator: "~", value: "x\ny" });
  });

  it("is none where the server would refuse it", () => {
    for (const text of ["", "a", "=b", "a>many", "a<", "a?b", "a>0x10"]) expect(readCondition(text)).toBeUndefined();
    expect(isComplete({ key: "a=b", operator: "=", value: "c" })).toBe(false);
    expect(isComplete({ key: "a", operator: "=", value: "" })).toBe(true);
  });

  it("may stand alone or with others in an address", () => {
    expect(conditionsOf(undefined)).toEqual([]);
    expect(conditionsOf("a=1")).toEqual(["a=1"]);
    expect(conditionsOf(["a=1", "b?"])).toEqual(["a=1", "b?"]);
  });
});
