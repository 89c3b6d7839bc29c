// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { WordsProvider } from "../i18n";
import { SLOW_AFTER_MS, SlowNote } from "./SlowNote";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("says nothing at first, and that it takes long when it does", () => {
  render(
    <WordsProvider>
      <SlowNote />
    </WordsProvider>,
  );
  expect(screen.queryByRole("status")).toBeNull();

  act(() => vi.advanceTimersByTime(SLOW_AFTER_MS));

  expect(screen.getByRole("status").textContent).toContain("Still waiting");
});
