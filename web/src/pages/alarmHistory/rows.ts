/** Intervals of each group of each rule, for the strips. */

import type { AlarmInterval } from "../../api/alarmsTypes";

export interface TimelineRow {
  key: string;
  rule_id: string;
  rule: string;
  group: Record<string, string>;
  intervals: AlarmInterval[];
}

/** The group that fired most often first. */
export function timelineRows(intervals: readonly AlarmInterval[]): TimelineRow[] {
  const rows = new Map<string, TimelineRow>();
  for (const interval of intervals) {
    const { rule_id, rule, group } = interval;
    const key = `${rule_id} ${JSON.stringify(Object.entries(group).sort())}`;
    const row = rows.get(key) ?? { key, rule_id, rule, group, intervals: [] };
    row.intervals.push(interval);
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b.intervals.length - a.intervals.length);
}
