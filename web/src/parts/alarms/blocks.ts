/** Where intervals stand on a strip of time. */

import type { Severity } from "../../api/alarmsTypes";

export interface Interval {
  started_at: string;
  ended_at: string | null;
}

export interface Block {
  /** Parts of the strip, 0 to 1. */
  left: number;
  width: number;
  open: boolean;
}

/** What of an interval lies between two moments (epoch ms); none: it lies outside. One that is open goes on to the end. */
export function blockOf({ started_at, ended_at }: Interval, from: number, to: number): Block | null {
  const start = Math.max(from, new Date(started_at).getTime());
  const end = Math.min(to, ended_at === null ? to : new Date(ended_at).getTime());
  if (end < start || start > to || to <= from) return null;
  return { left: (start - from) / (to - from), width: (end - start) / (to - from), open: ended_at === null };
}

export const SEVERITY_ORDER: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };
