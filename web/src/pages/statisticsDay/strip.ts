/** Blocks of a day as cells of a strip, and a day on an axis. */

import type { DayBlock } from "../../api/statisticsTypes";

export const DAY_METRICS = ["requests", "errors", "p95"] as const;
export type DayMetric = (typeof DAY_METRICS)[number];

/** null: nothing was measured, or it is still to come. */
export function figureOf(block: DayBlock, metric: DayMetric): number | null {
  if (block.covered_s === 0) return null;
  return metric === "p95" ? block.p95_ms : block[metric];
}

/** Cells that show something: where, how strong (0…1) by the greatest of the day, and whether requests failed. */
export function cellsOf(
  blocks: readonly DayBlock[],
  metric: DayMetric,
): { index: number; strength: number; failed: boolean }[] {
  const most = Math.max(0, ...blocks.map((block) => figureOf(block, metric) ?? 0));
  return blocks
    .filter((block) => (figureOf(block, metric) ?? 0) > 0)
    .map((block) => ({
      index: block.index,
      strength: 0.2 + (0.8 * (figureOf(block, metric) ?? 0)) / most,
      failed: block.errors > 0,
    }));
}

/**
 * Epoch seconds at which an axis in the browser's zone says what clocks of the app's zone say. On days that change clocks the
 * labels after the change are off by it; the reading of a block is not.
 */
export const axisOf = (date: string, blocks: number, block_s: number): number[] => {
  const midnight = new Date(`${date}T00:00`).getTime() / 1000;
  return Array.from({ length: blocks }, (_, index) => midnight + index * block_s);
};

/** A date so many days away, as 2026-11-21. */
export function daysFrom(date: string, days: number): string {
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, day + days)).toISOString().slice(0, 10);
}

export const isDate = (text: string) =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(new Date(`${text}T00:00Z`).getTime());
