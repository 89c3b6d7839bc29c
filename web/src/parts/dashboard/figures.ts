/** Figures that a panel can draw without a query. */

import type { Translate } from "../../i18n";

export const SERVICE_FIGURES = [
  "requests_per_s",
  "error_rate",
  "average_ms",
  "max_ms",
  "p50_ms",
  "p90_ms",
  "p95_ms",
  "p99_ms",
  "apdex",
  "timeouts",
] as const;
export const HOST_FIGURES = [
  "cpu_utilization",
  "cpu_user",
  "cpu_system",
  "cpu_iowait",
  "cpu_steal",
  "load_1m",
  "memory_used_bytes",
  "swap_used_bytes",
  "filesystem_used",
  "inodes_used",
  "network_receive_bytes_per_s",
  "network_transmit_bytes_per_s",
  "disk_read_bytes_per_s",
  "disk_write_bytes_per_s",
  "file_handles",
] as const;

export type Figure = (typeof SERVICE_FIGURES)[number] | (typeof HOST_FIGURES)[number];

const FIGURES: readonly Figure[] = [...SERVICE_FIGURES, ...HOST_FIGURES];

/** Names of series for a legend: figures in words; whose they are only where they are not all the same one's. */
export function legendsOf(names: readonly string[], t: Translate): string[] {
  const told = names.map((name) => {
    const figure = FIGURES.find((one) => name.endsWith(` ${one}`));
    return { name, figure, whose: figure && name.slice(0, -figure.length - 1) };
  });
  const alone = new Set(told.map(({ whose }) => whose)).size === 1;
  return told.map(({ name, figure, whose }) => {
    if (!figure) return name;
    const word = t(`dashboards.figures.${figure}`);
    return alone ? word : `${whose} ${word}`;
  });
}
