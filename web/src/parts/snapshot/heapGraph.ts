/** Objects of a V8 heap as arrays: who is what, how large, who points to whom. */

export interface HeapGraph {
  /** Index into `nodeTypes`. */
  nodeType: Uint8Array;
  /** Index into `strings`. */
  nodeName: Uint32Array;
  /** V8's number of the object, the same in later snapshots of the process. */
  nodeId: Uint32Array;
  selfSize: Float64Array;
  /** The edges of node n are firstEdge[n] … firstEdge[n + 1] − 1. */
  firstEdge: Uint32Array;
  /** Index into `edgeTypes`. */
  edgeType: Uint8Array;
  /** Index into `strings`; of elements and hidden edges a number of its own. */
  edgeName: Uint32Array;
  /** The node it leads to. */
  edgeTo: Uint32Array;
  nodeTypes: readonly string[];
  edgeTypes: readonly string[];
  strings: readonly string[];
}

/** The node that holds everything. */
export const ROOT = 0;

export const nodeCount = ({ nodeType }: HeapGraph): number => nodeType.length;

/** An element of an array whose index is known to be good. */
export const of = (array: Uint8Array | Uint32Array | Int32Array | Float64Array, index: number): number =>
  array[index] as number;

/** What the node is called: its class, its text, its function. */
export const nameOf = (graph: HeapGraph, node: number): string => graph.strings[of(graph.nodeName, node)] ?? "";

/** What is written behind the holder: `.cache`, `[3]`, a variable of a closure. */
export function edgeText(graph: HeapGraph, edge: number): string {
  const type = graph.edgeTypes[of(graph.edgeType, edge)];
  const name = of(graph.edgeName, edge);
  if (type === "element" || type === "hidden") return `[${name}]`;
  const text = graph.strings[name] ?? "";
  if (type !== "property") return text;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

/** Written by V8 on both edges that lead to a value of a WeakMap: from its key and from the map's table. */
const WEAK_MAP_VALUE = / \/ part of key \(.*\) -> value \(.*\) pair in WeakMap \(table @(\d+)\)$/;

/**
 * 1 for each edge that keeps its target alive. Weak ones do not, nor does an object itself. Shortcuts say something only
 * at the root, where they mark the global objects. A value in a WeakMap needs key and map; it is counted for its key.
 */
export function holdingEdges(graph: HeapGraph): Uint8Array {
  const { firstEdge, edgeType, edgeName, edgeTo, nodeId } = graph;
  const weak = graph.edgeTypes.indexOf("weak");
  const shortcut = graph.edgeTypes.indexOf("shortcut");
  const internal = graph.edgeTypes.indexOf("internal");
  const tableOf = new Map<number, number>();
  graph.strings.forEach((text, index) => {
    const table = text.includes("WeakMap") ? text.match(WEAK_MAP_VALUE)?.[1] : undefined;
    if (table) tableOf.set(index, Number(table));
  });
  const holds = new Uint8Array(edgeType.length);
  for (let node = 0; node < nodeId.length; node++) {
    const end = of(firstEdge, node + 1);
    for (let edge = of(firstEdge, node); edge < end; edge++) {
      const type = of(edgeType, edge);
      if (type === weak || of(edgeTo, edge) === node) continue;
      if (type === shortcut && node !== ROOT) continue;
      if (type === internal && tableOf.size > 0 && tableOf.get(of(edgeName, edge)) === of(nodeId, node)) continue;
      holds[edge] = 1;
    }
  }
  return holds;
}

/** The edges that lead to each node: those of node n are at first[n] … first[n + 1] − 1 of `edge`, their owners of `node`. */
export interface Retainers {
  first: Uint32Array;
  node: Uint32Array;
  edge: Uint32Array;
}

export function retainersOf(graph: HeapGraph, holds: Uint8Array): Retainers {
  const size = nodeCount(graph);
  const { firstEdge, edgeTo } = graph;
  const first = new Uint32Array(size + 1);
  for (let edge = 0; edge < edgeTo.length; edge++) {
    if (holds[edge]) first[of(edgeTo, edge) + 1] = of(first, of(edgeTo, edge) + 1) + 1;
  }
  for (let node = 0; node < size; node++) first[node + 1] = of(first, node + 1) + of(first, node);
  const next = first.slice();
  const all = of(first, size);
  const node = new Uint32Array(all);
  const edge = new Uint32Array(all);
  for (let owner = 0; owner < size; owner++) {
    const end = of(firstEdge, owner + 1);
    for (let one = of(firstEdge, owner); one < end; one++) {
      if (!holds[one]) continue;
      const to = of(edgeTo, one);
      const place = of(next, to);
      next[to] = place + 1;
      node[place] = owner;
      edge[place] = one;
    }
  }
  return { first, node, edge };
}
