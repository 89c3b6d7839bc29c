/** Canned alarms of the small shop: what fires, rules, history, notifiers, and what a rule would have done. */

import type {
  Alarm,
  AlarmBacktest,
  AlarmDelivery,
  AlarmInterval,
  AlarmNotifier,
  AlarmRule,
  AlarmRuleDocument,
  AlarmSilence,
  AlarmSummary,
  AlarmTemplate,
  Severity,
} from "../src/api/alarmsTypes";
import type { Page } from "../src/api/types";
import { emptyRule, ofKind } from "../src/parts/alarms/fields.ts";
import { emptyNotifier } from "../src/parts/alarms/notifierFields.ts";
import { randomFrom, seedOf } from "./random.ts";

const HOUR = 3600_000;
const iso = (time: number) => new Date(time).toISOString();
const page = <T>(items: T[]): Page<T> => ({ items, next: null });

const named = (rule: AlarmRuleDocument, name: string, severity: Severity): AlarmRuleDocument => ({
  ...rule,
  name,
  severity,
  notify: ["ops"],
  remind_s: 14_400,
});

const RULES: readonly [string, AlarmRuleDocument][] = [
  ["a1", named(emptyRule(""), "Slow", "critical")],
  ["a2", named(ofKind(emptyRule(""), "host"), "A host works hard", "warning")],
  [
    "a3",
    named(ofKind(emptyRule(""), "agent"), "An agent of a host in one of the branch offices has been silent", "info"),
  ],
];

function rule([id, document]: (typeof RULES)[number], now: number): AlarmRule {
  const made = { created_at: iso(now - 900 * HOUR), created_by: "admin" };
  const changed = { changed_at: iso(now - 30 * HOUR), changed_by: "admin" };
  const states = { firing: id === "a1" ? 1 : 0, pending: id === "a2" ? 1 : 0, no_data: id === "a3" ? 1 : 0 };
  const unit = { a1: "ms", a2: "ratio", a3: "s" }[id] ?? "";
  return {
    id,
    app: "shop",
    version: 3,
    rule: document,
    unit,
    ...made,
    ...changed,
    ...states,
    groups: 4,
    groups_dropped: 0,
    problem: "",
  };
}

function current(now: number): Alarm[] {
  const random = randomFrom(seedOf("alarms"));
  return RULES.map(([id, document], index): Alarm => {
    const fires = index === 0;
    const top = [812, 0.93, 240][index] as number;
    return {
      id: fires ? "f0" : null,
      app: "shop",
      rule_id: id,
      rule: document.name,
      description: document.description,
      severity: document.severity,
      labels: {},
      group: index === 0 ? { service: "orders" } : { host: "web-1" },
      what: document.what,
      op: document.condition.op,
      unit: rule([id, document], now).unit,
      state: (["firing", "pending", "suppressed"] as const)[index] ?? "firing",
      suppressed_by: index === 2 ? "silence" : "",
      since: iso(now - (index + 1) * 700_000),
      started_at: fires ? iso(now - 700_000) : null,
      value: top,
      threshold: document.condition.threshold,
      peak: top * 1.1,
      breached_s: 600,
      for_s: document.condition.for_s,
      flap_score: index === 2 ? 0.62 : 0.1,
      recent: Array.from({ length: 60 }, () => top * (0.6 + random() * 0.5)),
      acknowledged_at: null,
      acknowledged_by: "",
      note: "",
    };
  });
}

const SUMMARY: Omit<AlarmSummary, "evaluation"> = {
  firing: 1,
  critical: 1,
  warning: 0,
  info: 0,
  unacknowledged: 1,
  pending: 1,
  suppressed: 1,
  no_data: 0,
};

function history(from: number, to: number): AlarmInterval[] {
  const random = randomFrom(seedOf("history"));
  return Array.from({ length: 14 }, (_, index): AlarmInterval => {
    const [id, document] = RULES[index % RULES.length] as (typeof RULES)[number];
    const started = to - ((index + 0.4) / 14) * (to - from);
    const open = index === 0;
    return {
      id: `f${index}`,
      app: "shop",
      rule_id: id,
      rule: document.name,
      severity: document.severity,
      group: index % 3 === 0 ? { service: index % 2 ? "front" : "orders" } : { host: "web-1" },
      op: ">",
      unit: rule([id, document], to).unit,
      started_at: iso(started),
      ended_at: open ? null : iso(started + random() * 0.05 * (to - from)),
      ended_by: open ? null : "recovered",
      value: document.condition.threshold,
      threshold: document.condition.threshold,
      peak: (document.condition.threshold ?? 0) * (1.1 + random()),
      flap_score: random(),
      told: index % 4 !== 1,
      acknowledged_at: null,
      acknowledged_by: "",
      note: "",
    };
  });
}

function notifier(now: number): AlarmNotifier {
  return {
    id: "b1",
    app: "shop",
    notifier: { ...emptyNotifier("webhook", "en"), name: "ops", url: "********" },
    target: "https://hooks.example.org",
    created_at: iso(now - 900 * HOUR),
    created_by: "admin",
    changed_at: iso(now - 900 * HOUR),
    changed_by: "admin",
    waiting: 0,
    last_sent_at: iso(now - 700_000),
    last_problem: "",
  };
}

function deliveries(now: number): AlarmDelivery[] {
  return Array.from({ length: 6 }, (_, index): AlarmDelivery => {
    const failed = index === 3;
    return {
      id: `d${index}`,
      app: "shop",
      notifier_id: "b1",
      notifier: "ops",
      state: failed ? "failed" : "sent",
      title: `[${index % 2 ? "over" : "firing"}] Slow: orders`,
      alarms: 1,
      attempts: failed ? 5 : 1,
      created_at: iso(now - index * 2 * HOUR - 700_000),
      next_at: null,
      ended_at: iso(now - index * 2 * HOUR - 690_000),
      answer: failed ? "503 Service Unavailable" : "200 OK",
    };
  });
}

const silence = (now: number): AlarmSilence => ({
  id: "s1",
  app: "shop",
  rule: RULES[2]?.[1].name ?? "",
  group: { host: "web-1" },
  starts_at: iso(now - HOUR),
  ends_at: iso(now + 3 * HOUR),
  comment: "The disk of web-1 is being replaced.",
  created_at: iso(now - HOUR),
  created_by: "admin",
  active: true,
});

const template: AlarmTemplate = {
  id: "slow",
  title: "Slow",
  description: "The 95th percentile of a service stays above 500 ms for five minutes.",
  rule: named(emptyRule(""), "Slow", "warning"),
};

/** What a rule would have done in 14 days; the same for every rule. */
export function backtest(now: number): AlarmBacktest {
  const from = now - 14 * 24 * HOUR;
  const random = randomFrom(seedOf("backtest"));
  const step_s = 1800;
  const series = Array.from({ length: (14 * 86_400) / step_s }, (_, index) => ({
    time: iso(from + index * step_s * 1000),
    value: index % 170 > 162 ? 620 + random() * 90 : 180 + random() * 160,
    threshold: 500,
  }));
  const intervals = [163, 333, 503].map((index) => ({
    started_at: iso(from + index * step_s * 1000),
    ended_at: iso(from + (index + 7) * step_s * 1000),
    peak: 700,
  }));
  const firing_s = intervals.length * 7 * step_s;
  return {
    from: iso(from),
    to: iso(now),
    data_from: iso(from),
    step_s,
    unit: "ms",
    fired: 3,
    firing_s,
    groups: [{ group: { service: "orders" }, fired: 3, firing_s, intervals, series }],
    groups_dropped: 0,
    suggestion: { threshold: 720, recovery_threshold: 650, fired: 0, formula: "1.05 · the largest value" },
    took_ms: 140,
  };
}

/** What stands at an address below `/alarms`; none: nothing does. */
export function alarms(path: string, query: URLSearchParams, now: number, empty: boolean): unknown {
  const list = <T>(items: T[]) => page(empty ? [] : items);
  const [, , about, id] = path.split("/");
  switch (about) {
    case undefined:
      return list(current(now));
    case "summary": {
      const counts = empty
        ? { ...SUMMARY, firing: 0, critical: 0, unacknowledged: 0, pending: 0, suppressed: 0 }
        : SUMMARY;
      const evaluation = {
        evaluated_until: iso(now - 20_000),
        delay_s: 15,
        behind_s: 0,
        trouble: "",
        holder: "one",
        round_ms: 21,
        rules: 3,
        groups: 12,
        missed_slots: 0,
      };
      return { ...counts, evaluation } satisfies AlarmSummary;
    }
    case "history":
      return list(history(Number(query.get("from") ?? now - HOUR), Number(query.get("to") ?? now)));
    case "silences":
      return list([silence(now)]);
    case "templates":
      return page([template]);
    case "rules": {
      const found = RULES.find(([known]) => known === id);
      return id ? found && rule(found, now) : list(RULES.map((one) => rule(one, now)));
    }
    case "notifiers":
      return id ? (id === "b1" ? notifier(now) : undefined) : list([notifier(now)]);
    case "deliveries":
      return list(deliveries(now));
    case "backtest":
      return backtest(now);
    default:
      return undefined;
  }
}
