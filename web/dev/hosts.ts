/** Canned hosts: a calm one, a full one, one without swap that has been silent for a while. */

import type {
  HostedService,
  HostNode,
  NodeAgent,
  NodeReport,
  NodeSample,
  ProcessHistory,
  TopProcesses,
} from "../src/api/nodesTypes";
import { randomFrom, seedOf } from "./random.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export function hosts(now: number): HostNode[] {
  return [
    host("web-1", now - 4000, 0.31, 8, { used: 9.4, of: 16 }, { used: 0.2, of: 2 }, 0.42),
    host("web-2", now - 6000, 0.93, 8, { used: 15.2, of: 16 }, { used: 1.7, of: 2 }, 0.81, {
      state: "clock",
      clock_offset_s: 86_400,
    }),
    host("db-primary.internal.example", now - 2000, 0.12, 32, { used: 101, of: 256 }, null, 0.94),
    host("batch-7", now - 5 * 3600_000, null, 4, { used: 1.1, of: 8 }, null, 0.2, { state: "silent" }),
  ];
}

function host(
  name: string,
  seen: number,
  cpu: number | null,
  cpus: number,
  memory: { used: number; of: number },
  swap: { used: number; of: number } | null,
  disk: number,
  agent: Partial<NodeAgent> = {},
): HostNode {
  const random = randomFrom(seedOf(name));
  const known = (value: number) => (cpu === null ? null : value);
  return {
    host: name,
    host_id: `id-${name}`,
    os: "Debian GNU/Linux 12 (bookworm)",
    agent_version: "0.1.0",
    agent: {
      state: "ok",
      version: "0.1.0",
      last_seen: new Date(seen).toISOString(),
      clock_offset_s: 0,
      queue_bytes: 12_400,
      queue_batches: 1,
      ...agent,
    },
    services: name.startsWith("web") ? ["front", "orders", "stock-with-a-rather-long-name"] : [],
    last_seen: new Date(seen).toISOString(),
    cpus,
    cpu_utilization: cpu,
    load_1m: cpu === null ? null : cpu * cpus * 1.1,
    memory_used_bytes: memory.used * GIB,
    memory_total_bytes: memory.of * GIB,
    swap_used_bytes: (swap?.used ?? 0) * GIB,
    swap_total_bytes: (swap?.of ?? 0) * GIB,
    filesystems: [
      {
        mountpoint: "/",
        used_bytes: 80 * GIB * disk,
        total_bytes: 80 * GIB,
        inodes_used: 1_204_000,
        inodes_total: 5_242_880,
      },
      {
        mountpoint: "/var/lib/sonde",
        used_bytes: 21 * GIB,
        total_bytes: 400 * GIB,
        inodes_used: 0,
        inodes_total: 0,
      },
    ],
    network_receive_bytes_per_s: known(random() * 9 * MIB),
    network_transmit_bytes_per_s: known(random() * 4 * MIB),
    disk_read_bytes_per_s: known(random() * 900_000),
    disk_write_bytes_per_s: known(random() * 22 * MIB),
    processes: cpu === null ? null : Math.round(90 + random() * 200),
    file_handles: cpu === null ? null : Math.round(3000 + random() * 900),
    file_handles_limit: cpu === null ? null : 1_048_576,
  };
}

export function hostReport(node: HostNode, from: number, to: number): NodeReport {
  const steps = 120;
  const step = (to - from) / steps;
  const series: NodeSample[] = [];
  for (let index = 0; index < steps; index++) {
    const time = from + index * step;
    const random = randomFrom(seedOf(node.host) ^ Math.floor(time / step));
    const wave = 1 + 0.4 * Math.sin(time / 400_000) + (random() - 0.5) * 0.3;
    const scaled = (value: number | null, most = Number.POSITIVE_INFINITY) =>
      value === null ? null : Math.min(most, value * wave);
    if (index > 70 && index < 82) {
      series.push(nothingAt(time)); // the agent was away
      continue;
    }
    const cpu = scaled(node.cpu_utilization, 1);
    const share = (of: number) => (cpu === null ? null : cpu * of);
    series.push({
      time: new Date(time).toISOString(),
      cpu_utilization: cpu,
      cpu_user: share(0.68),
      cpu_system: share(0.2),
      cpu_iowait: share(0.08),
      cpu_steal: share(0.01),
      cpu_other: share(0.03),
      load_1m: scaled(node.load_1m),
      memory_used_bytes: node.memory_used_bytes * (0.97 + random() * 0.04),
      memory_cached_bytes: (node.memory_total_bytes - node.memory_used_bytes) * (0.6 + random() * 0.02),
      swap_used_bytes: node.swap_used_bytes,
      inodes_used: 0.23,
      network_errors_per_s: random() > 0.95 ? 2 : 0,
      file_handles: scaled(node.file_handles),
      agent_queue_bytes: random() > 0.9 ? 400_000 : 9000,
      filesystem_used: (node.filesystems[0]?.used_bytes ?? 0) / (node.filesystems[0]?.total_bytes ?? 1),
      network_receive_bytes_per_s: scaled(node.network_receive_bytes_per_s),
      network_transmit_bytes_per_s: scaled(node.network_transmit_bytes_per_s),
      disk_read_bytes_per_s: scaled(node.disk_read_bytes_per_s),
      disk_write_bytes_per_s: scaled(node.disk_write_bytes_per_s),
    });
  }
  return {
    node,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step_s: step / 1000,
    series,
    services: node.services.map((service, index) => hosted(node, service, index, to)),
    losses: node.host === "web-2" ? [{ what: "sonde.agent.frames.dropped", reason: "queue_full", count: 31 }] : [],
  };
}

const NO_SAMPLE: Omit<NodeSample, "time"> = {
  cpu_utilization: null,
  cpu_user: null,
  cpu_system: null,
  cpu_iowait: null,
  cpu_steal: null,
  cpu_other: null,
  load_1m: null,
  memory_used_bytes: null,
  memory_cached_bytes: null,
  swap_used_bytes: null,
  filesystem_used: null,
  inodes_used: null,
  network_receive_bytes_per_s: null,
  network_transmit_bytes_per_s: null,
  network_errors_per_s: null,
  disk_read_bytes_per_s: null,
  disk_write_bytes_per_s: null,
  file_handles: null,
  agent_queue_bytes: null,
};

const nothingAt = (time: number): NodeSample => ({ time: new Date(time).toISOString(), ...NO_SAMPLE });

const hosted = (node: HostNode, service: string, index: number, to: number): HostedService => ({
  app: "shop",
  service,
  instance: `${node.host}:${4100 + index}`,
  language: "python",
  version: index ? "" : "2026.11.3",
  pid: 4100 + index,
  last_seen: new Date(to - 3000 * (index + 1)).toISOString(),
  open_files: index === 2 ? null : 90 + index * 860,
  open_files_limit: index === 2 ? null : 1024,
});

const COMMANDS = [
  "gunicorn: worker [front]",
  "python3 -m orders --listen 0.0.0.0:8080 --db postgresql://***@db-primary/orders",
  "postgres: writer process",
  "node /srv/reports/index.js",
];

export function top(host: string, from: number, to: number, at: number | null): TopProcesses {
  const minute = 60_000;
  const times: number[] = [];
  for (let time = Math.ceil(from / minute) * minute; time <= to; time += minute) times.push(time);
  const time = times.findLast((one) => one <= (at ?? to)) ?? to;
  const random = randomFrom(seedOf(host) ^ (time / minute));
  return {
    host,
    time: new Date(time).toISOString(),
    seconds: 60,
    processes: 213,
    items: Array.from({ length: 27 }, (_, index) => ({
      pid: 4100 + index * 17,
      started: new Date(1_762_000_000_000).toISOString(),
      name: "python3",
      command: COMMANDS[index % COMMANDS.length] as string,
      user: index % 3 ? "www-data" : "postgres",
      cpu_cores: index === 26 ? null : (random() * 1.4) / (index + 1),
      memory_bytes: Math.round(random() * 900 * MIB),
      threads: 1 + Math.floor(random() * 30),
      service: ["front", "orders", "", ""][index % 4] as string,
    })),
    times: times.map((one) => new Date(one).toISOString()),
  };
}

export function processHistory(host: string, pid: number, started: number, from: number, to: number): ProcessHistory {
  const { times } = top(host, from, to, null);
  return {
    host,
    pid,
    started: new Date(started).toISOString(),
    name: "python3",
    command: COMMANDS[1] as string,
    series: times
      .filter((_, index) => index % 9 < 6)
      .map((time, index) => ({ time, cpu_cores: 0.2 + (index % 5) / 10, memory_bytes: 300 * MIB + index * MIB })),
  };
}
