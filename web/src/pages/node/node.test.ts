import { describe, expect, it } from "vitest";

import { translate } from "../../i18n";
import { clockWords } from "../nodes/AgentMark";
import { withGaps } from "./ProcessHistoryCharts";

describe("a process over time", () => {
  const sample = (minute: number) => ({
    time: new Date(minute * 60_000).toISOString(),
    cpu_cores: 0.5,
    memory_bytes: 10,
  });

  it("has a gap where a minute is missing, and none between neighbours", () => {
    const { times, samples } = withGaps([sample(1), sample(2), sample(5)]);
    expect(times).toEqual([60, 120, 210, 300]);
    expect(samples.map((one) => one?.cpu_cores)).toEqual([0.5, 0.5, undefined, 0.5]);
    expect(withGaps([])).toEqual({ times: [], samples: [] });
  });
});

describe("a wrong clock", () => {
  it("is told with its direction", () => {
    const en = (...of: Parameters<typeof translate> extends [unknown, ...infer Rest] ? Rest : never) =>
      translate("en", ...of);
    expect(clockWords(86_400, en)).toMatch(/ahead$/);
    expect(clockWords(-6, en)).toMatch(/^clock is 6.*behind$/);
  });
});
