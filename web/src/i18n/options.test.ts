import { describe, expect, it } from "vitest";

import catalogue from "../../../src/sonde/server/control/tools.json";
import { exactnessText, optionText } from "./options";

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

describe("how exact a tool is", () => {
  const SAID = "the functions and lines of each stack that was looked at; CPU time per thread";

  it("is said in Chinese, sentence by sentence", () => {
    expect(exactnessText("zh", SAID)).toBe("每次采样到的调用栈的函数和行号；每个线程的 CPU 时间");
    expect(
      exactnessText(
        "zh",
        "the sampler takes the GIL (no wheel): fewer looks than asked for, and more of them at places that let go of the GIL",
      ),
    ).toContain("（no wheel）");
    expect(exactnessText("en", SAID)).toBe(SAID);
  });

  it("is the process's sentence where the console knows none", () => {
    expect(exactnessText("zh", "CPU time per thread; of a newer probe")).toBe("每个线程的 CPU 时间；of a newer probe");
  });
});
