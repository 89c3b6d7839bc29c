/** What the request waited for, row by row. */

import type { CriticalStretch } from "../../api/types";

/** Stretches of each span that is on the critical path: from, to, from, to … in ms from the trace's start. */
export function criticalByRow(path: readonly CriticalStretch[]): ReadonlyMap<number, readonly number[]> {
  const rows = new Map<number, number[]>();
  for (const { span, from_ms, to_ms } of path) {
    const row = rows.get(span);
    if (row) row.push(from_ms, to_ms);
    else rows.set(span, [from_ms, to_ms]);
  }
  return rows;
}

/** How long the request waited for one span. */
export const criticalMs = (path: readonly CriticalStretch[], index: number) =>
  path.reduce((sum, { span, from_ms, to_ms }) => (span === index ? sum + to_ms - from_ms : sum), 0);
