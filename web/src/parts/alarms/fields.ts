/** Which fields a rule of each kind has, and what it starts with. */

import type { Aggregate, AlarmRuleDocument, AlarmWhat, HostFigure, RuleKind, Statistic } from "../../api/alarmsTypes";

export const KINDS: readonly RuleKind[] = ["statistic", "host", "metric", "errors", "no_data", "agent", "promql"];
export const STATISTICS: readonly Statistic[] = [
  "requests",
  "requests_per_s",
  "errors",
  "error_rate",
  "average_ms",
  "max_ms",
  "p50_ms",
  "p90_ms",
  "p95_ms",
  "p99_ms",
  "apdex",
];
export const HOST_FIGURES: readonly HostFigure[] = [
  "cpu_utilization",
  "load_per_cpu",
  "memory_used",
  "swap_used",
  "disk_used",
  "inodes_used",
];
export const AGGREGATES: readonly Aggregate[] = ["average", "min", "max", "sum", "last", "rate"];

export type NameField = "service" | "endpoint" | "instance" | "host" | "error_type";

/** Names that a rule can be about. */
export const NAMES: Record<RuleKind, readonly NameField[]> = {
  statistic: ["service", "endpoint", "instance"],
  host: ["host"],
  metric: ["service", "instance", "host"],
  errors: ["error_type", "service", "endpoint"],
  no_data: ["service", "instance", "host"],
  agent: ["host"],
  promql: [],
};

/** What a rule can be told apart by; of a metric also by any attribute. */
export const GROUPS: Record<RuleKind, readonly string[]> = {
  statistic: ["service", "endpoint", "instance"],
  host: [],
  metric: ["service", "instance", "host"],
  errors: ["service", "endpoint", "error_type"],
  no_data: ["service", "instance", "host"],
  agent: [],
  promql: [],
};

export const HAS_BASELINE: readonly RuleKind[] = ["statistic", "host", "metric", "errors"];

const NOTHING_SAID: Omit<AlarmWhat, "kind"> = {
  statistic: null,
  figure: null,
  metric: "",
  aggregate: null,
  labels: {},
  signal: null,
  query: "",
  error_type: "",
  service: "",
  endpoint: "",
  instance: "",
  host: "",
};

const FIRST: Record<RuleKind, { what: Partial<AlarmWhat>; threshold: number }> = {
  statistic: { what: { statistic: "p95_ms" }, threshold: 500 },
  host: { what: { figure: "cpu_utilization" }, threshold: 0.9 },
  metric: { what: { aggregate: "average" }, threshold: 1 },
  errors: { what: {}, threshold: 50 },
  no_data: { what: { signal: "requests" }, threshold: 600 },
  agent: { what: {}, threshold: 180 },
  promql: { what: { query: "" }, threshold: 1 },
};

/** The same rule, measuring something of another kind: what does not fit is gone. */
export function ofKind(rule: AlarmRuleDocument, kind: RuleKind): AlarmRuleDocument {
  const { what, threshold } = FIRST[kind];
  return {
    ...rule,
    what: { ...NOTHING_SAID, ...what, kind },
    group_by: rule.group_by.filter((name) => GROUPS[kind].includes(name)),
    condition: {
      ...rule.condition,
      op: ">",
      threshold,
      recovery_threshold: null,
      baseline: null,
      requests_least: kind === "statistic" ? rule.condition.requests_least : 0,
      when_no_data: "no_data",
    },
  };
}

export function emptyRule(name: string): AlarmRuleDocument {
  const rule: AlarmRuleDocument = {
    name,
    description: "",
    enabled: true,
    severity: "warning",
    what: { ...NOTHING_SAID, kind: "statistic" },
    group_by: ["service"],
    most_groups: 100,
    window_s: 300,
    condition: {
      op: ">",
      threshold: 500,
      recovery_threshold: null,
      baseline: null,
      for_s: 300,
      recover_for_s: 60,
      when_no_data: "no_data",
      requests_least: 20,
    },
    labels: {},
    notify: [],
    remind_s: 14_400,
    depends_on: "",
    quiet_hours: [],
  };
  return ofKind(rule, "statistic");
}

/** `key=value` lines as a record; what has no `=` is left out. */
export function pairsOf(lines: readonly string[], separator = "="): Record<string, string> {
  const pairs = lines.flatMap((line) => {
    const at = line.indexOf(separator);
    return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + separator.length).trim()] as const] : [];
  });
  return Object.fromEntries(pairs);
}

export const linesOf = (pairs: Record<string, string>, separator = "=") =>
  Object.entries(pairs).map(([key, value]) => `${key}${separator}${value}`);
