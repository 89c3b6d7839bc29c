/** Canned hosts: a calm one, a full one, one without swap that has been silent for a while. */

import type { HostNode, NodeReport, NodeSample } from "../src/api/types";
import { randomFrom, seedOf } from "./random.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export function hosts(now: number): HostNode[] {
  return [
    host("web-1", now - 4000, 0.31, 8, { used: 9.4, of: 16 }, { used: 0.2, of: 2 }, 0.42),
    host("web-2", now - 6000, 0.93, 8, { used: 15.2, of: 16 }, { used: 1.7, of: 2 }, 0.81),
    host("db-primary.internal.example", now - 2000, 0.12, 32, { used: 101, of: 256 }, null, 0.94),
    host("batch-7", now - 5 * 3600_000, null, 4, { used: 1.1, of: 8 }, null, 0.2),
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
): HostNode {
  const random = randomFrom(seedOf(name));
  const known = (value: number) => (cpu === null ? null : value);
  return {
    host: name,
    host_id: `id-${name}`,
    os: "Debian GNU/Linux 12 (bookworm)",
    agent_version: "0.1.0",
    last_seen: new Date(seen).toISOString(),
    cpus,
    cpu_utilization: cpu,
    load_1m: cpu === null ? null : cpu * cpus * 1.1,
    memory_used_bytes: memory.used * GIB,
    memory_total_bytes: memory.of * GIB,
    swap_used_bytes: (swap?.used ?? 0) * GIB,
    swap_total_bytes: (swap?.of ?? 0) * GIB,
    filesystems: [
      { mountpoint: "/", used_bytes: 80 * GIB * disk, total_bytes: 80 * GIB },
      { mountpoint: "/var/lib/sonde", used_bytes: 21 * GIB, total_bytes: 400 * GIB },
    ],
    network_receive_bytes_per_s: known(random() * 9 * MIB),
    network_transmit_bytes_per_s: known(random() * 4 * MIB),
    disk_read_bytes_per_s: known(random() * 900_000),
    disk_write_bytes_per_s: known(random() * 22 * MIB),
    processes: cpu === null ? null : Math.round(90 + random() * 200),
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
    series.push({
      time: new Date(time).toISOString(),
      cpu_utilization: scaled(node.cpu_utilization, 1),
      load_1m: scaled(node.load_1m),
      memory_used_bytes: node.memory_used_bytes * (0.97 + random() * 0.04),
      swap_used_bytes: node.swap_used_bytes,
      filesystem_used: (node.filesystems[0]?.used_bytes ?? 0) / (node.filesystems[0]?.total_bytes ?? 1),
      network_receive_bytes_per_s: scaled(node.network_receive_bytes_per_s),
      network_transmit_bytes_per_s: scaled(node.network_transmit_bytes_per_s),
      disk_read_bytes_per_s: scaled(node.disk_read_bytes_per_s),
      disk_write_bytes_per_s: scaled(node.disk_write_bytes_per_s),
    });
  }
  return { node, from: new Date(from).toISOString(), to: new Date(to).toISOString(), step_s: step / 1000, series };
}
