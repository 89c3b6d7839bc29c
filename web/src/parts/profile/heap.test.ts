import { expect, it } from "vitest";

import { chainText } from "./heap";

it("who holds an object is read in one line, from the root on", () => {
  expect(
    chainText([
      ["module shop", "module", 72],
      [".cache", "dict", 800],
      ["", "deque", 10],
      ["[3]", "str", 9],
    ]),
  ).toBe("module shop .cache (deque) [3]");
  expect(chainText([])).toBe("");
});
