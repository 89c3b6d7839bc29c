/** What the page and the worker that holds a heap say to each other. */

import type { ConstructorRow } from "./constructors";

export interface HeapObject {
  /** V8's number of it, as DevTools shows behind an @. */
  id: number;
  name: string;
  constructor_name: string;
  bytes: number;
  retained_bytes: number;
  /** Steps from the root; −1: only weak references lead there. */
  distance: number;
}

/** One side of an edge. */
export interface HeldObject extends HeapObject {
  /** By which it is held: a property, an index, a variable. */
  by: string;
}
export type Held = HeldObject;

export interface HeapObjectReport extends HeapObject {
  /** The shortest way to it, the object itself last. */
  way: HeldObject[];
  /** The nearest object that every way leads through. */
  dominator: HeapObject | null;
  /** The nearest to the root first. */
  holders: Held[];
  holder_count: number;
  /** What retains most first. */
  holds: Held[];
  held_count: number;
}

export interface HeapSummary {
  objects: number;
  bytes: number;
  constructors: ConstructorRow[];
}

export type Question =
  | { kind: "objects"; constructor_name: string }
  | { kind: "found"; words: string }
  | { kind: "object"; id: number };

export type ToWorker =
  | { kind: "chunk"; bytes: Uint8Array }
  | { kind: "end" }
  | { kind: "ask"; ask: number; question: Question };

export type FromWorker =
  /** A chunk was read. */
  | { kind: "taken"; bytes: number }
  /** How much of the graph is worked out, 0…1. */
  | { kind: "progress"; share: number }
  | { kind: "ready"; summary: HeapSummary }
  | { kind: "answer"; ask: number; answer: HeapObject[] | HeapObjectReport | null }
  | { kind: "failure"; message: string };
