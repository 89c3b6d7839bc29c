import { describe, expect, it } from "vitest";

import { badFields, draftOf, isExact, isInOrder, wishOf } from "./draft";

const SETTINGS = {
  app: "a1",
  time_zone: "UTC",
  apdex_t_ms: 500,
  normal_ms: 100,
  slow_ms: 200,
  timeout_ms: 10_000,
  late_max_s: 3600,
  exact_ms: [100, 200, 500, 2000],
  changed_at: null,
  changed_by: null,
};

describe("settings of an app", () => {
  it("are kept as they came where nobody typed", () => {
    const { app: _, exact_ms: __, changed_at: ___, changed_by: ____, ...said } = SETTINGS;
    expect(badFields(draftOf(SETTINGS)).size).toBe(0);
    expect(wishOf(draftOf(SETTINGS))).toEqual(said);
  });

  it("leave Apdex T to the server where the field is empty", () => {
    const draft = { ...draftOf(SETTINGS), apdex_t_ms: "" };
    expect(badFields(draft).size).toBe(0);
    expect(wishOf(draft).apdex_t_ms).toBeNull();
  });

  it("tell which fields cannot be kept", () => {
    const draft = { ...draftOf(SETTINGS), normal_ms: "", apdex_t_ms: 30_001, late_max_s: 59 };
    expect([...badFields(draft)].sort()).toEqual(["apdex_t_ms", "late_max_s", "normal_ms"]);
    expect(isInOrder({ ...draftOf(SETTINGS), normal_ms: 201 })).toBe(false);
  });

  it("are exact at bounds of the histogram", () => {
    expect(isExact(SETTINGS.exact_ms, 500, 2000)).toBe(true);
    expect(isExact(SETTINGS.exact_ms, 501)).toBe(false);
  });
});
