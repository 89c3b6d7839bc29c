import { describe, expect, it } from "vitest";

import type { Process, Tool } from "../../api/types";
import { inOrder, reasonText, toolName, whatItShows } from "../../domain/tools";
import { type Translate, translate } from "../../i18n";
import { draftFor, isGood, isReady, valuesOf } from "./draft";
import { choicesOf, processKey, wantedProcesses } from "./processKey";

const t: Translate = (key, values) => translate("en", key, values);

const process = (more: Partial<Process>): Process => ({
  app: "shop",
  node: "n1",
  host: "web-1",
  pid: 7,
  service: "orders",
  instance: "orders-1",
  language: "python",
  command: "gunicorn shop:app",
  probe_version: "0.1.0",
  native: true,
  connected_at: null,
  node_connected: true,
  tools: null,
  ...more,
});

const TOOL: Tool = {
  name: "cpu",
  heavy: true,
  at_once: false,
  options: {
    rate: { default: 100, doc: "samples per second", at_least: 1, at_most: 1000 },
    threads: { default: true, doc: "all threads" },
    clock: { default: "cpu", doc: "which time", choices: ["cpu", "wall"] },
  },
};

describe("processes", () => {
  const all = [process({}), process({ pid: 8, service: "stock" }), process({ node: "n2", host: "web-2", app: "bank" })];

  it("are found by what their row shows", () => {
    expect(wantedProcesses(all, { q: "STOCK web-1" })).toEqual([all[1]]);
    expect(wantedProcesses(all, { service: "orders", node: "n2" })).toEqual([all[2]]);
    expect(wantedProcesses(all, {})).toHaveLength(3);
  });

  it("have a name in the address that survives slashes", () => {
    expect(processKey(process({ app: "a/b", node: "n 1" }))).toBe("a%2Fb/n%201/7");
  });

  it("give choices once, by name", () => {
    const choices = choicesOf(all, ({ node, host }) => ({ value: node, label: host }));
    expect(choices).toEqual([
      { value: "n1", label: "web-1" },
      { value: "n2", label: "web-2" },
    ]);
  });
});

describe("the start form", () => {
  it("begins with the defaults and sends what differs, numbers as numbers", () => {
    const draft = draftFor(TOOL);
    expect(isReady(TOOL, draft)).toBe(true);
    expect(valuesOf(TOOL, draft)).toEqual({});
    expect(valuesOf(TOOL, { ...draft, options: { ...draft.options, rate: "250" } })).toEqual({ rate: 250 });
  });

  it("says what cannot be before it is sent", () => {
    const { rate, clock } = TOOL.options as { rate: never; clock: never };
    expect([isGood(rate, 0), isGood(rate, 1001), isGood(rate, ""), isGood(rate, "12")]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect([isGood(clock, "moon"), isGood(clock, "wall")]).toEqual([false, true]);
    const needed = { default: "", doc: "", at_least: 1, at_most: null, choices: [] };
    expect([isGood(needed, ""), isGood(needed, " "), isGood(needed, "/slow")]).toEqual([false, false, true]);
    expect(isReady(TOOL, { ...draftFor(TOOL), seconds: "" })).toBe(false);
    expect(isReady({ ...TOOL, at_once: true }, { ...draftFor(TOOL), seconds: "" })).toBe(true);
  });
});

describe("tools", () => {
  it("stand in a known order, and what is new behind", () => {
    const order = inOrder([{ name: "zeta" }, { name: "heap" }, { name: "cpu" }]);
    expect(order.map(({ name }) => name)).toEqual(["cpu", "heap", "zeta"]);
  });

  it("that are newer than the console have their own name", () => {
    expect(toolName(t, "zeta")).toBe("zeta");
    expect(whatItShows(t, "zeta")).not.toBe("");
    expect(toolName(t, "cpu")).toBe("CPU profile");
  });

  it("fail in plain words, where there are any", () => {
    expect(reasonText(t, "busy")).toContain("Another heavy tool");
    expect(reasonText(t, "meteor")).toBe("");
  });
});
