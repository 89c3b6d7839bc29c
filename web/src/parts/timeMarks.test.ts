import { describe, expect, it } from "vitest";

import { deployText, timeMarksOf } from "../domain/deploys";
import { translate } from "../i18n";
import { markAt } from "./TimeSeries";

const t = (key: Parameters<typeof translate>[1], values = {}) => translate("en", key, values);
const deploy = {
  app: "shop",
  service: "orders",
  kind: "deploy",
  time: "2025-11-20T12:00:00Z",
  version: "2.0",
  previous: "1.9",
  processes: 4,
} as const;

describe("marks on a time axis", () => {
  it("say what happened", () => {
    expect(deployText(t, deploy)).toBe("Deploy of 2.0, before it 1.9 · 4 processes");
    expect(deployText(t, { ...deploy, previous: "", processes: 1 }, true)).toBe("orders · Deploy of 2.0");
    expect(deployText(t, { ...deploy, kind: "restart", processes: 1 })).toBe("Restart");
  });

  it("are strong where a version changed", () => {
    const [first, second] = timeMarksOf(t, [deploy, { ...deploy, kind: "restart" }]);
    expect([first?.strong, second?.strong]).toEqual([true, false]);
    expect(first?.time).toBe(Date.UTC(2025, 10, 20, 12));
  });

  it("are found by a cursor within half a step, the nearest first", () => {
    const marks = [
      { time: 10_000, label: "a", strong: true },
      { time: 14_000, label: "b", strong: false },
    ];
    const axis = { marks, times: [0, 10, 20, 30], from: 0, to: 100_000 };
    expect(markAt(axis, 10_000)?.label).toBe("a");
    expect(markAt(axis, 13_000)?.label).toBe("b");
    expect(markAt(axis, 30_000)).toBeUndefined();
    expect(markAt({ ...axis, marks: undefined }, 10_000)).toBeUndefined();
  });
});
