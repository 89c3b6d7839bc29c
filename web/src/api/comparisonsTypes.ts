/** Two runs of a tool beside each other: what `/jobs/ID/compare/OTHER` says. */

export type ChangeState = "new" | "grown" | "same" | "shrunk" | "gone";

export interface ComparedRun {
  id: string;
  service: string;
  instance: string;
  pid: number;
  created_at: string;
}

/** null: the run's file does not tell of it, since its table is cut there. */
export interface HeapChange {
  name: string;
  /** The way to a holder from its root. */
  where: string;
  state: ChangeState;
  before_objects: number | null;
  now_objects: number | null;
  change_objects: number | null;
  before_bytes: number | null;
  now_bytes: number | null;
  change_bytes: number;
  /** The change is nearer to 0 than the truth. */
  at_least: boolean;
}

export interface HeapComparison {
  before_objects: number;
  now_objects: number;
  before_bytes: number;
  now_bytes: number;
  types: HeapChange[];
  roots: HeapChange[];
  holders: HeapChange[];
  /** Rows of which a cut table does not even tell whether they grew. */
  untold: number;
}

/** null: that run has not seen the line keep anything. */
export interface LeakChange {
  file: string;
  line: number;
  type: string;
  /** Where in a library it was allocated, or empty. */
  via: string;
  state: ChangeState;
  before_verdict: string | null;
  now_verdict: string | null;
  before_bytes: number | null;
  now_bytes: number | null;
  before_blocks: number | null;
  now_blocks: number | null;
  before_bytes_per_request: number | null;
  now_bytes_per_request: number | null;
  change_bytes_per_request: number;
  approximate: boolean;
  held_by: string;
}

export interface LeaksComparison {
  before_requests: number;
  now_requests: number;
  before_leaked_bytes: number;
  now_leaked_bytes: number;
  lines: LeakChange[];
  /** One of both files has no room for more lines. */
  cut: boolean;
}

/** One of `heap` and `leaks` is there, by the tool. */
export interface JobComparison {
  tool: "heap" | "leaks";
  now: ComparedRun;
  before: ComparedRun;
  heap: HeapComparison | null;
  leaks: LeaksComparison | null;
}
