/** The answers about hosts. Mirrors `src/sonde/server/reports/nodes.py` field by field: change both together. */

export interface Filesystem {
  mountpoint: string;
  used_bytes: number;
  total_bytes: number;
  /** 0 of 0 where there is no fixed number. */
  inodes_used: number;
  inodes_total: number;
}

export interface NodeAgent {
  /** `clock`: its host's clock is wrong. `silent`: nothing has come for a while. */
  state: "ok" | "clock" | "silent";
  version: string;
  /** Of the server's clock. */
  last_seen: string;
  /** Ahead of the server: positive. */
  clock_offset_s: number | null;
  queue_bytes: number | null;
  queue_batches: number | null;
}

export interface HostNode {
  host: string;
  host_id: string;
  os: string;
  agent_version: string;
  /** null: something else than our agent measures the host. */
  agent: NodeAgent | null;
  services: string[];
  last_seen: string;
  cpus: number;
  cpu_utilization: number | null;
  load_1m: number | null;
  memory_used_bytes: number;
  memory_total_bytes: number;
  swap_used_bytes: number;
  swap_total_bytes: number;
  filesystems: Filesystem[];
  network_receive_bytes_per_s: number | null;
  network_transmit_bytes_per_s: number | null;
  disk_read_bytes_per_s: number | null;
  disk_write_bytes_per_s: number | null;
  processes: number | null;
  file_handles: number | null;
  file_handles_limit: number | null;
}

/** One step; null where nothing was measured. */
export interface NodeSample {
  time: string;
  cpu_utilization: number | null;
  cpu_user: number | null;
  cpu_system: number | null;
  cpu_iowait: number | null;
  cpu_steal: number | null;
  cpu_other: number | null;
  load_1m: number | null;
  memory_used_bytes: number | null;
  memory_cached_bytes: number | null;
  swap_used_bytes: number | null;
  filesystem_used: number | null;
  inodes_used: number | null;
  network_receive_bytes_per_s: number | null;
  network_transmit_bytes_per_s: number | null;
  network_errors_per_s: number | null;
  disk_read_bytes_per_s: number | null;
  disk_write_bytes_per_s: number | null;
  file_handles: number | null;
  agent_queue_bytes: number | null;
}

export interface HostedService {
  app: string;
  service: string;
  instance: string;
  language: string;
  version: string;
  pid: number | null;
  last_seen: string;
  open_files: number | null;
  open_files_limit: number | null;
}

/** What was dropped, and why. */
export interface Loss {
  what: string;
  reason: string;
  count: number;
}

export interface NodeReport {
  node: HostNode;
  from: string;
  to: string;
  step_s: number;
  series: NodeSample[];
  services: HostedService[];
  losses: Loss[];
}

export interface TopProcess {
  pid: number;
  started: string;
  name: string;
  command: string;
  user: string;
  /** 1 is one core busy. */
  cpu_cores: number | null;
  memory_bytes: number;
  threads: number;
  service: string;
}

export interface TopProcesses {
  host: string;
  time: string;
  seconds: number;
  /** All there were. */
  processes: number;
  items: TopProcess[];
  /** Minutes that can be asked for, oldest first. */
  times: string[];
}

export interface ProcessSample {
  time: string;
  cpu_cores: number | null;
  memory_bytes: number;
}

export interface ProcessHistory {
  host: string;
  pid: number;
  started: string;
  name: string;
  command: string;
  series: ProcessSample[];
}
