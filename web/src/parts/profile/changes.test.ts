import { describe, expect, it } from "vitest";

import { text } from "../../domain/format";
import { bytesChange, changeTone, countChange } from "./changes";

describe("what changed between two runs", () => {
  it("has a sign, and none where nothing did", () => {
    const said = [2048, -300, -0.3, 0].map((change) => text(bytesChange(change)));
    expect(said).toEqual(["+2.00 KiB", "−300 B", "0 B", "0 B"]);
    expect([1200, -1, 0, null].map((change) => text(countChange(change)))).toEqual(["+1,200", "−1", "0", "–"]);
  });

  it("says when it may be more", () => {
    expect(text(bytesChange(2048, true))).toBe("≥ +2.00 KiB");
  });

  it("is bad news when memory grew", () => {
    expect([1, -1, 0].map(changeTone)).toEqual(["error", "ok", undefined]);
  });
});
