/** Calls by what they look like. Mirrors `src/sonde/server/reports/slow.py` field by field: change both together. */

export type CallKind = "sql" | "cache" | "http" | "rpc" | "mq";

export interface CallFigures {
  calls: number;
  errors: number;
  total_ms: number;
  average_ms: number;
  p95_ms: number;
  max_ms: number;
  /** Of the time that all calls of the kind took, 0…1. */
  share: number;
}

export interface CallingService {
  app: string;
  service: string;
  calls: number;
  total_ms: number;
}

export interface SlowGroup extends CallFigures {
  id: string;
  kind: CallKind;
  system: string;
  text: string;
  text_is_cut: boolean;
  peers: string[];
  more_peers: number;
  services: CallingService[];
  first_seen: string;
  last_seen: string;
  /** Of the slowest. */
  trace_id: string;
  span_id: string;
}

export interface RestOfCalls {
  groups: number;
  calls: number;
  errors: number;
  total_ms: number;
}

export interface SlowPage {
  items: SlowGroup[];
  next: string | null;
  rest: RestOfCalls;
}

export interface CallPoint {
  time: string;
  calls: number;
  errors: number;
  average_ms: number | null;
  p95_ms: number | null;
  max_ms: number | null;
}

export interface Caller {
  app: string;
  service: string;
  /** Empty where no request is known. */
  endpoint: string;
  calls: number;
  total_ms: number;
}

export interface CalledPeer {
  peer: string;
  calls: number;
  errors: number;
  average_ms: number;
  p95_ms: number;
}

export interface SlowCall {
  trace_id: string;
  span_id: string;
  app: string;
  service: string;
  instance: string;
  peer: string;
  start_time: string;
  duration_ms: number;
  error: boolean;
}

export interface SlowReport {
  from: string;
  to: string;
  step_s: number;
  group: SlowGroup;
  series: CallPoint[];
  callers: Caller[];
  /** So many calls were followed to their callers. */
  looked_at: number;
  peers: CalledPeer[];
  slowest: SlowCall[];
}

export interface Finding {
  parent_id: string;
  parent: string;
  app: string;
  service: string;
  kind: CallKind;
  system: string;
  text: string;
  peer: string;
  calls: number;
  errors: number;
  total_ms: number;
  /** How long at least one of them ran. */
  elapsed_ms: number;
  average_ms: number;
  span_ids: string[];
}

export interface Findings {
  trace_id: string;
  at_least: number;
  items: Finding[];
  more: number;
  truncated: boolean;
}
