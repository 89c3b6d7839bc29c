/** What can be searched for, and two traces beside each other. Mirrors `src/sonde/server/reports/traces.py`. */

export interface AttributeKey {
  key: string;
  spans: number;
}

export interface AttributeValue {
  value: string;
  spans: number;
}

export interface ComparedTrace {
  trace_id: string;
  start_time: string;
  duration_ms: number;
  service: string;
  endpoint: string;
  spans: number;
  errors: number;
}

/** All spans of one sort in both traces. */
export interface ComparedOperation {
  service: string;
  name: string;
  kind: string;
  peer: string;
  spans_a: number;
  spans_b: number;
  self_a_ms: number;
  self_b_ms: number;
}

/** Two spans at the same place; of a side that has none the id is empty. */
export interface ComparedSpan {
  depth: number;
  service: string;
  name: string;
  kind: string;
  peer: string;
  span_a: string;
  span_b: string;
  duration_a_ms: number | null;
  duration_b_ms: number | null;
  self_a_ms: number | null;
  self_b_ms: number | null;
  error_a: boolean;
  error_b: boolean;
}

export interface Comparison {
  a: ComparedTrace;
  b: ComparedTrace;
  same_endpoint: boolean;
  operations: ComparedOperation[];
  spans: ComparedSpan[];
  truncated: boolean;
}
