/** `sonde.heap.v1`: objects by type, what is large, what it keeps alive, who holds it. See docs/tools/heap.md. */

/** What the step is reached by, its type, its bytes. */
export type ChainStep = [step: string, type: string, bytes: number];

export interface HeapObject {
  type: string;
  bytes: number;
  retained_bytes: number;
  items: number;
  chain: ChainStep[];
}

export interface GrownType {
  type: string;
  module: string;
  objects: number;
  bytes: number;
  grown_objects: number;
  grown_bytes: number;
  /** One of the new objects, from the root on. */
  example?: ChainStep[];
}

export interface GrownHolder {
  type: string;
  items: number;
  new_objects: number;
  new_bytes: number;
  retained_bytes: number;
  kinds: [type: string, objects: number, bytes: number][];
  chain: ChainStep[];
}

export interface HeapFile {
  format: string;
  objects: number;
  bytes: number;
  types: [type: string, module: string, objects: number, bytes: number][];
  /** Where a second look, or an older one, was compared with. */
  growth?: { grown_types: GrownType[]; holders: GrownHolder[] };
  /** What is kept alive by a module, a thread, native code. */
  roots?: [root: string, bytes: number][];
  retained?: HeapObject[];
  largest: HeapObject[];
  memory?: { kernel?: Record<string, number>; objects?: Record<string, number>; native?: Record<string, number> };
}

/** `module shop .cache [3]`: from the root on, in one line. */
export const chainText = (chain: readonly ChainStep[]) =>
  chain.map(([step, type], index) => (index === 0 ? step : step || `(${type})`)).join(" ");
