/** The answers about Node.js processes. Mirrors `src/sonde/server/nodejs_reports.py` field by field: change both together. */

export type NodejsFileKind = "cpuprofile" | "heapprofile" | "gcprofile" | "heapsnapshot" | "diag" | "core";
export type NodejsFileState = "creating" | "on_agent" | "transferring" | "stored" | "failed";

export interface NodejsInstance {
  app: string;
  agent: string;
  connected: boolean;
  last_seen: string;
  connected_at: string | null;
  agent_version: string;
  clock_offset_ms: number | null;
}

export interface NodejsProcess {
  app: string;
  agent: string;
  pid: number;
  instance: string;
  command: string;
  /** It has the xprofiler addon switched on; of others only pid and command are known. */
  reports: boolean;
  alive: boolean;
  started_at: string | null;
  last_seen: string | null;
  /** 0 is the main thread. */
  threads: number[];
  /** Of one core, over the last 15 s. */
  cpu_percent: number | null;
  cpu_60_percent: number | null;
  rss_bytes: number | null;
  heap_used_bytes: number | null;
  heap_total_bytes: number | null;
  heap_limit_bytes: number | null;
  gc_percent: number | null;
  active_handles: number | null;
  requests_per_s: number | null;
  response_average_ms: number | null;
}

export interface NodejsPoint {
  time: string;
  value: number | null;
}

export interface NodejsSeries {
  metric: string;
  thread: number;
  points: NodejsPoint[];
}

/** Gauges are means of the step, counts sums of it. */
export interface NodejsTrend {
  pid: number;
  from: string;
  to: string;
  step_s: number;
  series: NodejsSeries[];
}

export interface NodejsSystemSample {
  time: string;
  cpu_utilization: number | null;
  memory_used_bytes: number | null;
  memory_total_bytes: number | null;
  load_1m: number | null;
  load_5m: number | null;
  load_15m: number | null;
  node_processes: number | null;
  /** Used share by mount point. */
  disks: Record<string, number>;
  requests: number | null;
  requests_expired: number | null;
  response_average_ms: number | null;
  gc_ms: number | null;
  scavenge_ms: number | null;
  marksweep_ms: number | null;
}

export interface NodejsSystem {
  app: string;
  agent: string;
  from: string;
  to: string;
  step_s: number;
  latest: NodejsSystemSample | null;
  cpus: number | null;
  series: NodejsSystemSample[];
}

export interface NodejsOs {
  node_version: string;
  agent_version: string;
  core_limit: string;
  os: string;
}

export interface NodejsProcessStatus {
  pid: number;
  node_version: string;
  xprofiler_installed: boolean;
  xprofiler_enabled: boolean;
  xprofiler_version: string;
  xprofiler_log_dir: string;
  agent_log_dir: string;
  config: Record<string, unknown>;
}

export interface NodejsErrorFile {
  file: string;
  errors: number;
  last_seen: string;
}

export interface NodejsLoggedError {
  time: string;
  file: string;
  type: string;
  message: string;
  stack: string;
  extra: string;
}

export interface NodejsDependency {
  name: string;
  wanted: string;
  locked: string;
  kind: "dependency" | "dev" | "optional" | "peer";
}

export interface NodejsLocked {
  name: string;
  version: string;
  path: string;
}

export interface NodejsPackage {
  app: string;
  agent: string;
  file: string;
  name: string;
  version: string;
  lock_version: number;
  dependencies: NodejsDependency[];
  locked_count: number;
  locked: NodejsLocked[] | null;
  problem: string;
  received_at: string;
}

export interface NodejsCore {
  app: string;
  agent: string;
  core_path: string;
  executable_path: string;
  node_version: string;
  first_seen: string;
  last_seen: string;
}

export interface NodejsFilePart {
  name: string;
  /** As stored, gzip. */
  bytes: number;
  plain_bytes: number;
}

/** A profile, snapshot, report or core, from the wish for it to the stored file. */
export interface NodejsFile {
  id: number;
  app: string;
  agent: string;
  pid: number;
  kind: NodejsFileKind;
  path: string;
  executable_path: string;
  state: NodejsFileState;
  message: string;
  /** Still recording: it can be stopped early. */
  running: boolean;
  duration_s: number;
  created_at: string;
  ends_at: string | null;
  created_by: string;
  favourite: boolean;
  note: string;
  parts: NodejsFilePart[];
  stored_at: string | null;
}

export interface NodejsConfig {
  pid: number;
  config: Record<string, unknown>;
  changeable: string[];
}

export interface NodejsActionWish {
  action: NodejsFileKind;
  duration_s?: number;
  stop?: boolean;
}

/** What one process is called. */
export interface NodejsProcessName {
  app: string;
  agent: string;
  pid: number;
}
