/** The answers about the last minutes. Mirrors `src/sonde/server/reports/live.py` field by field: change both together. */

import type { TraceRow } from "./types";

/** Requests that ended in the second that starts at `time`. */
export interface LivePoint {
  time: string;
  requests: number;
  errors: number;
  average_ms: number | null;
  max_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
}

export interface LiveService {
  service: string;
  requests_per_s: number;
  errors_per_s: number;
  average_ms: number | null;
  p95_ms: number | null;
}

export interface LiveTail {
  rows: TraceRow[];
  /** They match and are not among the rows. */
  more: number;
  /** Nobody looked whether they match. */
  unread: number;
}

/** Event `whole`. */
export interface LiveWhole {
  time: string;
  window_s: number;
  /** How old the newest request was when it came into view. */
  behind_ms: number | null;
  /** Without the seconds that had no requests. */
  series: LivePoint[];
  services: LiveService[];
  tail: LiveTail;
}

/** Event `change`. */
export interface LiveChange {
  time: string;
  behind_ms: number | null;
  series: LivePoint[];
  services: LiveService[] | null;
  tail: LiveTail;
}

/** Events `trouble` and `end`. */
export interface LiveTrouble {
  time: string;
  code: string;
  message: string;
}
