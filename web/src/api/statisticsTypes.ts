/** What requests amount to, settings and names. Mirrors `src/sonde/server/reports/statistics.py`: change both together. */

import type { StatusCount, TraceRow } from "./types";

export const BYS = [
  "service",
  "endpoint",
  "instance",
  "status",
  "kind",
  "host",
  "caller",
  "callee",
  "peer",
  "client_address",
  "server_address",
] as const;
export type By = (typeof BYS)[number];

export const COMPARES = ["none", "yesterday", "last_week"] as const;
export type Compare = (typeof COMPARES)[number];

export const RULE_KINDS = ["alias", "endpoint", "hide", "move"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

export interface Tiers {
  normal: number;
  slow: number;
  very_slow: number;
  failed: number;
  unknown: number;
}

/** What nobody can know is null. */
export interface Measured {
  requests: number;
  errors: number;
  success_rate: number | null;
  requests_per_s: number;
  total_ms: number;
  average_ms: number | null;
  error_average_ms: number | null;
  min_ms: number | null;
  max_ms: number | null;
  p50_ms: number | null;
  p90_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  apdex: number | null;
  timeouts: number | null;
  tiers: Tiers | null;
}

export interface StatisticsRow extends Measured {
  app: string;
  service: string | null;
  endpoint: string | null;
  kind: string | null;
  instance: string | null;
  host: string | null;
  status_code: number | null;
  peer: string | null;
  peer_type: string | null;
  system: string | null;
  address: string | null;
  status_codes: StatusCount[];
  compared: Measured | null;
}

export interface Statistics {
  by: By;
  from: string;
  to: string;
  compared_from: string | null;
  compared_to: string | null;
  items: StatisticsRow[];
  next: string | null;
  rows: number;
  /** Requests of the rows that are not shown. */
  rest: number;
  whole: Measured;
  whole_compared: Measured | null;
  too_old: number;
  in_future: number;
}

export interface StatisticsPoint extends Measured {
  time: string;
  /** Seconds of it that are counted so far; 0: to come. */
  covered_s: number;
}

export interface DayBlock extends StatisticsPoint {
  /** From local midnight. */
  index: number;
  /** What a clock of that place says. */
  local: string;
}

export interface StatisticsDay {
  app: string;
  date: string;
  time_zone: string;
  from: string;
  to: string;
  block_s: number;
  whole: Measured;
  blocks: DayBlock[];
}

export interface HistogramBucket {
  above_ms: number;
  /** null: however long. */
  up_to_ms: number | null;
  requests: number;
  errors: number;
}

export interface StatisticsHistogram {
  from: string;
  to: string;
  requests: number;
  unknown: number;
  buckets: HistogramBucket[];
  fine: HistogramBucket[];
}

export interface TopError {
  app: string;
  service: string;
  endpoint: string;
  kind: string;
  status_code: number;
  errors: number;
  last_seen: string;
  trace_id: string;
}

export interface StatisticsTop {
  from: string;
  to: string;
  slowest: TraceRow[];
  errors: TopError[];
}

export interface AppSettings {
  app: string;
  time_zone: string;
  apdex_t_ms: number;
  normal_ms: number;
  slow_ms: number;
  timeout_ms: number;
  late_max_s: number;
  /** Thresholds at which counts are exact. */
  exact_ms: number[];
  changed_at: string | null;
  changed_by: string | null;
}

export interface NameRule {
  id: string;
  app: string;
  kind: RuleKind;
  service: string;
  pattern: string;
  name: string;
  target_app: string | null;
  changed_at: string;
  changed_by: string;
}

export interface NamePreviewRow {
  service: string;
  endpoint: string;
  name: string;
  requests: number;
}

export interface NamePreview {
  matched: number;
  requests: number;
  items: NamePreviewRow[];
  next: string | null;
}
