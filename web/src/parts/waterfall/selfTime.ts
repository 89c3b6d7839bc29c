/** When a span worked itself and when it waited for its children. */

import type { Tree } from "./rows";

/** Stretches covered by direct children, in ms from the trace's start: from, to, from, to … merged and clipped to the span. */
export function coveredByChildren(tree: Tree, index: number): number[] {
  const span = tree.spans[index];
  if (!span) return [];
  const until = span.offset_ms + span.duration_ms;
  const merged: number[] = [];
  const end = tree.end[index] as number;
  // children stand by start time, so one look back is enough to merge
  for (let child = index + 1; child < end; child = tree.end[child] as number) {
    const { offset_ms, duration_ms } = tree.spans[child] as { offset_ms: number; duration_ms: number };
    const from = Math.max(span.offset_ms, offset_ms);
    const to = Math.min(until, offset_ms + duration_ms);
    if (to <= from) continue;
    const lastTo = merged[merged.length - 1];
    if (lastTo !== undefined && from <= lastTo) merged[merged.length - 1] = Math.max(lastTo, to);
    else merged.push(from, to);
  }
  return merged;
}
