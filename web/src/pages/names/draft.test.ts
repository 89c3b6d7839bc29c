import { describe, expect, it } from "vitest";

import { isWhole, NO_RULE, wishOf } from "./draft";

describe("a rule about names", () => {
  it("is sent with what its kind takes alone", () => {
    const draft = { ...NO_RULE, service: "orders", pattern: "GET /a/.*", name: "GET /a/{id}", target_app: "a2" };
    expect(wishOf(draft)).toEqual({
      kind: "endpoint",
      service: "orders",
      pattern: "GET /a/.*",
      name: "GET /a/{id}",
    });
    expect(wishOf({ ...draft, kind: "hide" })).toEqual({ kind: "hide", service: "orders" });
    expect(wishOf({ ...draft, kind: "move" })).toEqual({ kind: "move", service: "orders", target_app: "a2" });
  });

  it("is whole when it says all that its kind needs", () => {
    expect(isWhole(NO_RULE)).toBe(false);
    expect(isWhole({ ...NO_RULE, pattern: "x", name: "y" })).toBe(true);
    expect(isWhole({ ...NO_RULE, kind: "alias", service: "x" })).toBe(false);
  });
});
