import { describe, expect, it } from "vitest";

import catalogue from "../../../src/sonde/server/control/tools.json";
import { optionText } from "./options";

describe("what options of tools mean", () => {
  for (const tool of catalogue) {
    it(`is said in Chinese of each option of ${tool.name}`, () => {
      for (const [name, option] of Object.entries(tool.options)) {
        expect(optionText("zh", tool.name, name, option.doc), name).toMatch(/\p{Script=Han}/u);
        expect(optionText("en", tool.name, name, option.doc)).toBe(option.doc);
      }
    });
  }

  it("is the server's text where the console knows none", () => {
    expect(optionText("zh", "cpu", "of_a_newer_server", "what it says")).toBe("what it says");
    expect(optionText("zh", "newer", "hz", "what it says")).toBe("what it says");
  });
});
