/**
 * The answers of the API. Mirrors `src/sonde/server/reports.py` field by field: change both together.
 * Times are RFC 3339, durations carry their unit, rates are fractions 0…1, null is "nobody measured that".
 */

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Figures {
  requests: number;
  errors: number;
  success_rate: number | null;
  requests_per_s: number;
  average_ms: number | null;
  max_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  apdex: number | null;
}

/** One step of a series; `time` is its start. Of the running step, and perhaps of the first, only `covered_s` is counted. */
export interface Point {
  time: string;
  covered_s: number;
  requests: number;
  errors: number;
  average_ms: number | null;
  max_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
}

export interface Service extends Figures {
  app: string;
  service: string;
  language: string;
  instances: number;
  last_seen: string;
  series: Point[];
}

export interface Endpoint extends Figures {
  endpoint: string;
  kind: SpanKind;
}

export interface Instance extends Figures {
  instance: string;
  last_seen: string;
}

export type NodeType = "service" | "database" | "cache" | "messaging" | "external" | "client";

export interface Neighbour {
  name: string;
  type: NodeType;
  system: string;
  requests: number;
  errors: number;
  average_ms: number | null;
  p95_ms: number | null;
}

export interface StatusCount {
  code: number;
  requests: number;
}

export interface ErrorGroup {
  type: string;
  message: string;
  endpoint: string;
  count: number;
  last_seen: string;
  trace_id: string;
}

export interface ServiceReport {
  app: string;
  service: string;
  language: string;
  from: string;
  to: string;
  step_s: number;
  figures: Figures;
  yesterday: Figures | null;
  last_week: Figures | null;
  series: Point[];
  endpoints: Endpoint[];
  instances: Instance[];
  callers: Neighbour[];
  callees: Neighbour[];
  status_codes: StatusCount[];
  errors: ErrorGroup[];
}

export interface MapNode {
  id: string;
  name: string;
  type: NodeType;
  system: string;
  requests: number;
  errors: number;
  average_ms: number | null;
  p95_ms: number | null;
}

/** What the called service says of calls that both ends were seen of. */
export interface OtherEnd {
  requests: number;
  errors: number;
  average_ms: number | null;
  p95_ms: number | null;
  /** Mean time between both ends; of a message until it was taken. */
  waiting_ms: number;
  /** That of the caller's duration; null for messages. */
  waiting_share: number | null;
}

export interface MapEdge {
  source: string;
  target: string;
  requests: number;
  errors: number;
  average_ms: number | null;
  p95_ms: number | null;
  /** To or from a queue: nobody waits for an answer. */
  is_message: boolean;
  /** How the service at the other end is known; empty where it is none. */
  known_by: "" | "traces" | "address";
  other_end: OtherEnd | null;
}

export interface ServiceMap {
  from: string;
  to: string;
  nodes: MapNode[];
  edges: MapEdge[];
}

export interface TraceRow {
  trace_id: string;
  span_id: string;
  app: string;
  service: string;
  instance: string;
  endpoint: string;
  kind: string;
  start_time: string;
  duration_ms: number;
  error: boolean;
  status_code: number;
}

export interface SpanEvent {
  name: string;
  time: string;
  offset_ms: number;
  attributes: Record<string, string>;
}

export interface SpanLink {
  trace_id: string;
  span_id: string;
}

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";

export interface Span {
  span_id: string;
  parent_id: string;
  app: string;
  service: string;
  instance: string;
  name: string;
  kind: SpanKind;
  start_time: string;
  offset_ms: number;
  duration_ms: number;
  self_ms: number;
  error: boolean;
  status_message: string;
  status_code: number;
  peer: string;
  statement: string;
  depth: number;
  attributes: Record<string, string>;
  events: SpanEvent[];
  links: SpanLink[];
}

/** A stretch of time in which a trace waited for one span, by its place in `spans`. */
export interface CriticalStretch {
  span: number;
  from_ms: number;
  to_ms: number;
}

export interface Trace {
  trace_id: string;
  start_time: string;
  duration_ms: number;
  services: string[];
  errors: number;
  spans: Span[];
  /** By time and without gap: what is shortened on it shortens the request. */
  critical_path: CriticalStretch[];
  truncated: boolean;
}

/** Something that happened while a trace ran; offsets from its start, negative for what had begun before. */
export interface Moment {
  /** `sonde.stall`, `sonde.gc_pause`, `sonde.slow_syscall`, `sonde.queued`, `sonde.tool` …; empty for a plain log line. */
  event: string;
  /** It has the trace's id; else it befell a process of the trace at that time. */
  own: boolean;
  time: string;
  offset_ms: number;
  duration_ms: number;
  service: string;
  instance: string;
  span_id: string;
  /** OTLP's number: 9 info, 13 warning, 17 error; 0 unknown. */
  severity: number;
  text: string;
  attributes: Record<string, string>;
}

export interface Moments {
  trace_id: string;
  start_time: string;
  duration_ms: number;
  moments: Moment[];
  truncated: boolean;
}

export interface RuntimeSample {
  time: string;
  requests_active: number | null;
  threads: number | null;
  thread_pool_queued: number | null;
  asyncio_tasks: number | null;
  gc_pause_max_ms: number | null;
  event_loop_lag_max_ms: number | null;
  gil_wait_max_ms: number | null;
}

export interface RuntimeReport {
  service: string;
  instances: number;
  from: string;
  to: string;
  step_s: number;
  series: RuntimeSample[];
}

export interface App {
  id: string;
  name: string;
  created_at: string;
}

/** The only time that secret and token are shown. */
export interface NewApp extends App {
  secret: string;
  token: string;
}

/** Where the server listens; null: not for that. */
export interface ConnectPorts {
  host: string;
  otlp_http: number | null;
  otlp_grpc: number | null;
  skywalking_grpc: number | null;
  skywalking_http: number | null;
  xtransit: number | null;
  tokenless_skywalking: string;
}

/** A service that sent something lately. */
export interface Arrival {
  service: string;
  language: string;
  last_seen: string;
}

/** Something that goes wrong with a sender, since the server started. */
export interface ConnectHint {
  protocol: string;
  reason: string;
  subject: string;
  text: string;
  /** Which sentence `text` is; empty: there is no other than `text`. */
  code: string;
  values: Record<string, string>;
  app: string;
  count: number;
  first_seen: string;
  last_seen: string;
}

/** What was said about how much of a service is recorded. null: as each of its processes was configured. */
export interface Sampling {
  app: string;
  service: string;
  sampling_rate: number | null;
  slow_ms: number | null;
  sampling_follows_parent: boolean | null;
  changed_at: string | null;
  /** `user:NAME` or `token:ID` */
  changed_by: string | null;
}

export type SamplingWish = Pick<Sampling, "sampling_rate" | "slow_ms" | "sampling_follows_parent">;

export interface Session {
  user: string;
  role: string;
  csrf: string;
}

/** One thing that a run of a tool can be told; the type of its default is its own. */
export interface ToolOption {
  default: boolean | number | string;
  doc: string;
  at_least?: number | null;
  at_most?: number | null;
  choices?: string[];
}

export interface Tool {
  name: string;
  /** One heavy tool at a time in a process. */
  heavy: boolean;
  /** It answers at once: there are no seconds to choose. */
  at_once: boolean;
  options: Record<string, ToolOption>;
}

/** What a tool can do in one process, as that process says. */
export interface ToolState {
  name: string;
  available: boolean;
  why_not: string;
  /** The one setting or package that would make it available. */
  unlock: string;
  exact: string;
  approximate: string;
  options: Record<string, ToolOption>;
  running: boolean;
}

/** A process that an agent has a probe's connection to. */
export interface Process {
  app: string;
  node: string;
  host: string;
  pid: number;
  service: string;
  instance: string;
  language: string;
  command: string;
  probe_version: string;
  native: boolean;
  connected_at: string | null;
  node_connected: boolean;
  /** null: nobody has asked it yet. */
  tools: ToolState[] | null;
}

export type OptionValues = Record<string, boolean | number | string>;

export interface NewJob {
  app: string;
  node: string;
  pid: number;
  tool: string;
  seconds: number;
  options: OptionValues;
}

export type JobState = "waiting" | "running" | "done" | "failed" | "cancelled";

export interface JobArtifact {
  name: string;
  media_type: string;
  bytes: number;
}

/** What a run said; `summary` differs by tool. */
export interface JobDocument {
  format: string;
  tool: string;
  pid: number;
  service: string;
  instance: string;
  python: string;
  started_at: string;
  seconds: number;
  notes: string[];
  summary: Record<string, unknown>;
}

/** One run of a tool in one process. */
export interface Job {
  id: string;
  app: string;
  node: string;
  host: string;
  pid: number;
  service: string;
  instance: string;
  tool: string;
  options: OptionValues;
  seconds: number;
  state: JobState;
  by: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  progress: { seconds: number; of: number; note: string } | null;
  failure: { reason: string; message: string } | null;
  document: JobDocument | null;
  artifacts: JobArtifact[];
}
