import { describe, expect, it } from "vitest";

import { translate } from "../../i18n";
import { lasting, said } from "./amounts";
import { blockOf } from "./blocks";
import { emptyRule, ofKind, pairsOf } from "./fields";
import { sentenceOf } from "./sentence";

const t = (key: Parameters<typeof translate>[1], values?: Record<string, string | number>) =>
  translate("en", key, values);

describe("a rule in a sentence", () => {
  it("says what is measured, for how long it must hold, and who is told", () => {
    const rule = emptyRule("slow");
    rule.what.service = "checkout";
    rule.notify = ["ops"];
    expect(sentenceOf(rule, t)).toBe(
      "When p95 of checkout over 5 min stays above 500 ms for 5 min, it fires as warning. " +
        "It is over once that has not held for 60 s. ops is told.",
    );
  });

  it("says what its groups are where it names nobody", () => {
    expect(sentenceOf(emptyRule("slow"), t)).toContain("p95 of each service over 5 min");
    expect(sentenceOf(ofKind(emptyRule("dead"), "agent"), t)).toContain("the silence of the agent of each host stays");
  });

  it("keeps names and figures apart from Chinese", () => {
    const rule = emptyRule("slow");
    rule.what.service = "checkout";
    expect(sentenceOf(rule, (key, values) => translate("zh", key, values))).toContain(
      "当 checkout 的 p95（5 min 窗口）保持高于 500 ms 达 5 min 时",
    );
  });

  it("says what usual is", () => {
    const rule = emptyRule("unusual");
    rule.condition.threshold = null;
    rule.condition.baseline = { every: "week", periods: 3, k: 4, floor: 0, floor_ratio: 0.1 };
    expect(sentenceOf(rule, t)).toContain("above what was usual at that time of the last 3 weeks by 4 times");
  });
});

describe("a duration of a rule", () => {
  it("is said in seconds where it is none", () => {
    expect([0, 30, 300, 14_400].map(lasting)).toEqual(["0 s", "30 s", "5 min", "4 h"]);
  });
});

describe("a rule of another kind", () => {
  it("keeps no field that the new kind has not", () => {
    const rule = emptyRule("slow");
    rule.what.service = "checkout";
    const promql = ofKind(rule, "promql");
    expect(promql.what).toMatchObject({ kind: "promql", statistic: null, service: "" });
    expect(promql.group_by).toEqual([]);
    expect(promql.condition.requests_least).toBe(0);
  });
});

describe("an interval on a strip", () => {
  const from = Date.UTC(2026, 0, 1);
  const at = (hours: number) => new Date(from + hours * 3600_000).toISOString();
  const to = from + 10 * 3600_000;

  it("is cut where the strip ends, and goes on to its end while it is open", () => {
    expect(blockOf({ started_at: at(-2), ended_at: at(5) }, from, to)).toEqual({ left: 0, width: 0.5, open: false });
    expect(blockOf({ started_at: at(5), ended_at: null }, from, to)).toEqual({ left: 0.5, width: 0.5, open: true });
    expect(blockOf({ started_at: at(11), ended_at: null }, from, to)).toBeNull();
    expect(blockOf({ started_at: at(-3), ended_at: at(-1) }, from, to)).toBeNull();
  });
});

describe("amounts", () => {
  it("are in the unit of the rule", () => {
    expect(said(0.05, "ratio")).toBe("5 %");
    expect(said(0.85, "ratio", { statistic: "apdex" })).toBe("0.85");
    expect(said(600, "s")).toBe("10 min");
  });

  it("reads pairs, and nothing where there is none", () => {
    expect(pairsOf(["a=b=c", "none", "=x"])).toEqual({ a: "b=c" });
  });
});
