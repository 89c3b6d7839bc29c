import { expect, it } from "vitest";

import { noteText } from "./notes";

const SAID = "The application waited for 61.9 ms at the longest; a process of its own looked, for 0.1 s.";

it("a note of a tool's is said in the reader's language, with its figures", () => {
  expect(noteText("zh", SAID)).toBe("应用最长等待了 61.9 ms；查看由单独的进程进行，用时 0.1 s。");
  expect(noteText("en", SAID)).toBe(SAID);
});

it("a note that the console does not know is the process's own", () => {
  expect(noteText("zh", "of a newer probe")).toBe("of a newer probe");
});
