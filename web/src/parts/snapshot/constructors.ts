/** Objects by what they are: a class, or a kind that V8 keeps for itself. */

import type { Dominance } from "./dominators";
import { type HeapGraph, nameOf, nodeCount, of, ROOT } from "./heapGraph";

export interface ConstructorRow {
  /** Its place in the table; `classOf` has it for each node. */
  place: number;
  name: string;
  objects: number;
  /** Sizes of the objects themselves. */
  bytes: number;
  /** What would be free without all of them; what one keeps alive for another is counted once. */
  retained_bytes: number;
}

export interface Constructors {
  rows: ConstructorRow[];
  /** The place in `rows` of each node's constructor. */
  classOf: Uint32Array;
}

/** Kinds that are one line each, whatever their members are called. */
const KINDS: Record<string, string> = {
  hidden: "(system)",
  array: "(array)",
  string: "(string)",
  "concatenated string": "(concatenated string)",
  "sliced string": "(sliced string)",
  code: "(compiled code)",
  closure: "(function)",
  regexp: "(regexp)",
  number: "(number)",
  symbol: "(symbol)",
  bigint: "(bigint)",
  synthetic: "(roots)",
  "object shape": "(object shape)",
};

export function constructorsOf(graph: HeapGraph, { dominator, retained, order }: Dominance): Constructors {
  const size = nodeCount(graph);
  const rows: ConstructorRow[] = [];
  const places = new Map<string, number>();
  const classOf = new Uint32Array(size);
  for (let node = 0; node < size; node++) {
    const name = KINDS[graph.nodeTypes[of(graph.nodeType, node)] ?? ""] ?? shortName(nameOf(graph, node));
    let place = places.get(name);
    if (place === undefined) {
      place = rows.length;
      places.set(name, place);
      rows.push({ place, name, objects: 0, bytes: 0, retained_bytes: 0 });
    }
    classOf[node] = place;
    const row = rows[place] as ConstructorRow;
    row.objects++;
    row.bytes += of(graph.selfSize, node);
  }
  addRetained(rows, classOf, dominator, retained, order);
  return { rows, classOf };
}

/** V8 writes some objects with what is in them, e.g. `system / Context / file:///app.js`. */
function shortName(name: string): string {
  if (name === "") return "(no name)";
  const [kind, of] = name.split(" / ", 2);
  return kind === "system" && of ? `system / ${of}` : name;
}

/** Adds what each object retains to its constructor, unless one of the same constructor dominates it. */
function addRetained(
  rows: ConstructorRow[],
  classOf: Uint32Array,
  dominator: Uint32Array,
  retained: Float64Array,
  order: Uint32Array,
): void {
  const size = order.length;
  // children in the tree of dominators, as lists
  const firstChild = new Uint32Array(size);
  const nextChild = new Uint32Array(size);
  for (let at = size - 1; at > 0; at--) {
    const node = of(order, at);
    const above = of(dominator, node);
    nextChild[node] = of(firstChild, above);
    firstChild[above] = node; // 0, the root, is nobody's child and ends a list
  }
  const open = new Uint32Array(rows.length);
  const enter = (node: number) => {
    const place = of(classOf, node);
    if (open[place] === 0) (rows[place] as ConstructorRow).retained_bytes += of(retained, node);
    open[place] = of(open, place) + 1;
  };
  let node = ROOT;
  enter(node);
  for (;;) {
    const child = of(firstChild, node);
    if (child !== 0) {
      firstChild[node] = of(nextChild, child);
      node = child;
      enter(node);
      continue;
    }
    open[of(classOf, node)] = of(open, of(classOf, node)) - 1;
    if (node === ROOT) return;
    node = of(dominator, node);
  }
}
