/** Alarms, their rules, and whom they are told to. Mirrors `src/sonde/server/reports/alarms.py` field by field. */

export type RuleKind = "statistic" | "host" | "metric" | "errors" | "no_data" | "agent" | "promql";
export type Statistic =
  | "requests"
  | "requests_per_s"
  | "errors"
  | "error_rate"
  | "average_ms"
  | "max_ms"
  | "p50_ms"
  | "p90_ms"
  | "p95_ms"
  | "p99_ms"
  | "apdex";
export type HostFigure = "cpu_utilization" | "load_per_cpu" | "memory_used" | "swap_used" | "disk_used" | "inodes_used";
export type Aggregate = "average" | "min" | "max" | "sum" | "last" | "rate";
export type Signal = "requests" | "metric";
export type Op = ">" | ">=" | "<" | "<=";
export type WhenNoData = "no_data" | "ok" | "fire";
export type Severity = "info" | "warning" | "critical";
export type AlarmState = "ok" | "pending" | "firing" | "recovering" | "no_data" | "suppressed";
export type SuppressedBy = "" | "dependency" | "silence" | "quiet_hours";
export type Ended = "recovered" | "rule_deleted" | "rule_changed" | "rule_disabled" | "forgotten";
export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";
export type NotifierKind = "webhook" | "email" | "dingtalk" | "feishu" | "wecom" | "slack";
export type WebhookFormat = "sonde" | "alertmanager";
export type SmtpSecurity = "none" | "starttls" | "tls";
export type DeliveryState = "waiting" | "sent" | "failed" | "dropped";

export interface AlarmWhat {
  kind: RuleKind;
  statistic: Statistic | null;
  figure: HostFigure | null;
  metric: string;
  aggregate: Aggregate | null;
  labels: Record<string, string>;
  signal: Signal | null;
  query: string;
  error_type: string;
  service: string;
  endpoint: string;
  instance: string;
  host: string;
}

export interface AlarmBaseline {
  every: "day" | "week";
  periods: number;
  k: number;
  floor: number;
  floor_ratio: number;
}

export interface AlarmCondition {
  op: Op;
  threshold: number | null;
  recovery_threshold: number | null;
  baseline: AlarmBaseline | null;
  for_s: number;
  recover_for_s: number;
  when_no_data: WhenNoData;
  requests_least: number;
}

export interface AlarmQuietHours {
  days: Day[];
  start: string;
  end: string;
  time_zone: string;
}

export interface AlarmRuleDocument {
  name: string;
  description: string;
  enabled: boolean;
  severity: Severity;
  what: AlarmWhat;
  group_by: string[];
  most_groups: number;
  window_s: number;
  condition: AlarmCondition;
  labels: Record<string, string>;
  notify: string[];
  /** What goes on firing is told again so long after; 0: never. */
  remind_s: number;
  depends_on: string;
  quiet_hours: AlarmQuietHours[];
}

export interface AlarmRuleWish {
  app: string;
  rule: AlarmRuleDocument;
}

export interface AlarmRule {
  id: string;
  app: string;
  version: number;
  rule: AlarmRuleDocument;
  unit: string;
  created_at: string;
  created_by: string;
  changed_at: string;
  changed_by: string;
  firing: number;
  pending: number;
  no_data: number;
  groups: number;
  groups_dropped: number;
  problem: string;
}

export interface Alarm {
  id: string | null;
  app: string;
  rule_id: string;
  rule: string;
  description: string;
  severity: Severity;
  labels: Record<string, string>;
  group: Record<string, string>;
  what: AlarmWhat;
  op: Op;
  unit: string;
  state: AlarmState;
  suppressed_by: SuppressedBy;
  since: string;
  started_at: string | null;
  value: number | null;
  threshold: number | null;
  peak: number | null;
  breached_s: number;
  for_s: number;
  flap_score: number;
  recent: (number | null)[];
  acknowledged_at: string | null;
  acknowledged_by: string;
  note: string;
}

export interface AlarmEvaluation {
  evaluated_until: string | null;
  delay_s: number;
  behind_s: number;
  trouble: string;
  holder: string;
  round_ms: number;
  rules: number;
  groups: number;
  missed_slots: number;
}

export interface AlarmSummary {
  firing: number;
  critical: number;
  warning: number;
  info: number;
  unacknowledged: number;
  pending: number;
  suppressed: number;
  no_data: number;
  evaluation: AlarmEvaluation;
}

export interface AlarmInterval {
  id: string;
  app: string;
  rule_id: string;
  rule: string;
  severity: Severity;
  group: Record<string, string>;
  op: Op;
  unit: string;
  started_at: string;
  ended_at: string | null;
  ended_by: Ended | null;
  value: number | null;
  threshold: number | null;
  peak: number | null;
  flap_score: number;
  told: boolean;
  acknowledged_at: string | null;
  acknowledged_by: string;
  note: string;
}

export interface AlarmAcknowledgement {
  note: string;
}

export interface AlarmSilenceWish {
  app: string;
  rule: string;
  group: Record<string, string>;
  starts_at: string | null;
  ends_at: string;
  comment: string;
}

export interface AlarmSilence {
  id: string;
  app: string;
  rule: string;
  group: Record<string, string>;
  starts_at: string;
  ends_at: string;
  comment: string;
  created_at: string;
  created_by: string;
  active: boolean;
}

export interface AlarmNotifierDocument {
  name: string;
  kind: NotifierKind;
  enabled: boolean;
  language: "en" | "zh";
  group_s: number;
  url: string;
  secret: string;
  format: WebhookFormat;
  headers: Record<string, string>;
  mentions: string[];
  smtp_host: string;
  smtp_port: number;
  smtp_security: SmtpSecurity;
  smtp_user: string;
  smtp_password: string;
  from_address: string;
  to_addresses: string[];
}

export interface AlarmNotifierWish {
  app: string;
  notifier: AlarmNotifierDocument;
}

export interface AlarmNotifier {
  id: string;
  app: string;
  notifier: AlarmNotifierDocument;
  target: string;
  created_at: string;
  created_by: string;
  changed_at: string;
  changed_by: string;
  waiting: number;
  last_sent_at: string | null;
  last_problem: string;
}

export interface AlarmPreview {
  target: string;
  media_type: string;
  title: string;
  body: string;
}

export interface AlarmNotifierTest {
  delivered: boolean;
  answer: string;
  took_ms: number;
}

export interface AlarmDelivery {
  id: string;
  app: string;
  notifier_id: string;
  notifier: string;
  state: DeliveryState;
  title: string;
  alarms: number;
  attempts: number;
  created_at: string;
  next_at: string | null;
  ended_at: string | null;
  answer: string;
}

export interface AlarmTemplate {
  id: string;
  title: string;
  description: string;
  rule: AlarmRuleDocument;
}

export interface AlarmBacktestWish {
  app: string;
  rule: AlarmRuleDocument;
  days: number;
  to: string | null;
}

export interface AlarmBacktestPoint {
  time: string;
  value: number | null;
  threshold: number | null;
}

export interface AlarmBacktestInterval {
  started_at: string;
  ended_at: string | null;
  peak: number | null;
}

export interface AlarmBacktestGroup {
  group: Record<string, string>;
  fired: number;
  firing_s: number;
  intervals: AlarmBacktestInterval[];
  series: AlarmBacktestPoint[];
}

export interface AlarmSuggestion {
  threshold: number;
  recovery_threshold: number;
  fired: number;
  formula: string;
}

export interface AlarmBacktest {
  from: string;
  to: string;
  data_from: string | null;
  step_s: number;
  unit: string;
  fired: number;
  firing_s: number;
  groups: AlarmBacktestGroup[];
  groups_dropped: number;
  suggestion: AlarmSuggestion | null;
  took_ms: number;
}

export interface AlarmImportWish {
  app: string;
  toml: string;
  prune: boolean;
  dry_run: boolean;
}

export interface AlarmRuleChange {
  name: string;
  fields: string[];
}

export interface AlarmImport {
  added: string[];
  changed: AlarmRuleChange[];
  removed: string[];
  unchanged: string[];
  dry_run: boolean;
}
