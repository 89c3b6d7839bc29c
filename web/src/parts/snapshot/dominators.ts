/**
 * Who keeps whom alive: node d dominates n when every way from the root to n leads through d. What is retained by d is
 * the size of all it dominates. Lengauer and Tarjan's algorithm ("A fast algorithm for finding dominators in a
 * flowgraph", 1979) with path compression and no recursion: heaps have chains of a million objects.
 */

import { type HeapGraph, nodeCount, of, type Retainers, ROOT } from "./heapGraph";

export interface Dominance {
  /** Of each node; the root's is itself. What only weak references lead to counts as the root's own. */
  dominator: Uint32Array;
  /** Bytes that would be free without the node, itself included. */
  retained: Float64Array;
  /** All nodes, each after its dominator. */
  order: Uint32Array;
}

const NONE = 0xffff_ffff;

interface Walk {
  /** Reached nodes as they were first met. From here on a node is its place in this list. */
  order: Uint32Array;
  /** Of a node; NONE when nothing strong leads to it. */
  placeOf: Uint32Array;
  /** Who led there first. */
  parent: Uint32Array;
  reached: number;
}

export function dominanceOf(graph: HeapGraph, holds: Uint8Array, retainers: Retainers): Dominance {
  const walk = walked(graph, holds);
  const immediate = immediateDominators(walk, retainers);
  const size = nodeCount(graph);
  const dominator = new Uint32Array(size).fill(ROOT);
  for (let place = 1; place < walk.reached; place++) {
    dominator[of(walk.order, place)] = of(walk.order, of(immediate, place));
  }
  let place = walk.reached;
  for (let node = 0; node < size; node++) if (of(walk.placeOf, node) === NONE) walk.order[place++] = node;
  const retained = graph.selfSize.slice();
  for (let at = size - 1; at > 0; at--) {
    const node = of(walk.order, at);
    const above = of(dominator, node);
    retained[above] = of(retained, above) + of(retained, node);
  }
  return { dominator, retained, order: walk.order };
}

/** Depth first from the root. */
function walked({ firstEdge, edgeTo, nodeType }: HeapGraph, holds: Uint8Array): Walk {
  const size = nodeType.length;
  const order = new Uint32Array(size);
  const placeOf = new Uint32Array(size).fill(NONE);
  const parent = new Uint32Array(size);
  const next = firstEdge.slice(0, size);
  const stack = new Uint32Array(size);
  let depth = 0;
  let reached = 1;
  placeOf[ROOT] = 0;
  order[0] = ROOT;
  stack[0] = ROOT;
  while (depth >= 0) {
    const node = of(stack, depth);
    const edge = of(next, node);
    if (edge === of(firstEdge, node + 1)) {
      depth--;
      continue;
    }
    next[node] = edge + 1;
    const to = of(edgeTo, edge);
    if (!holds[edge] || of(placeOf, to) !== NONE) continue;
    parent[reached] = of(placeOf, node);
    placeOf[to] = reached;
    order[reached++] = to;
    stack[++depth] = to;
  }
  return { order, placeOf, parent, reached };
}

function immediateDominators({ order, placeOf, parent, reached }: Walk, retainers: Retainers): Uint32Array {
  const semi = Uint32Array.from({ length: reached }, (_, place) => place);
  const best = semi.slice();
  const ancestor = new Uint32Array(reached).fill(NONE);
  const dominator = new Uint32Array(reached);
  /** Lists of nodes by their semidominator. */
  const bucket = new Uint32Array(reached).fill(NONE);
  const nextInBucket = new Uint32Array(reached);
  const path = new Uint32Array(reached);

  /** The node with the least semidominator on the way from `place` up to the root of its tree. */
  const evaluated = (place: number): number => {
    if (of(ancestor, place) === NONE) return place;
    let depth = 0;
    let at = place;
    while (of(ancestor, of(ancestor, at)) !== NONE) {
      path[depth++] = at;
      at = of(ancestor, at);
    }
    while (depth > 0) {
      const below = of(path, --depth);
      const above = of(ancestor, below);
      if (of(semi, of(best, above)) < of(semi, of(best, below))) best[below] = of(best, above);
      ancestor[below] = of(ancestor, above);
    }
    return of(best, place);
  };

  for (let place = reached - 1; place > 0; place--) {
    const node = of(order, place);
    const end = of(retainers.first, node + 1);
    let least = of(semi, place);
    for (let at = of(retainers.first, node); at < end; at++) {
      const from = of(placeOf, of(retainers.node, at));
      if (from !== NONE) least = Math.min(least, of(semi, evaluated(from)));
    }
    semi[place] = least;
    nextInBucket[place] = of(bucket, least);
    bucket[least] = place;
    const above = of(parent, place);
    ancestor[place] = above;
    for (let one = of(bucket, above); one !== NONE; one = of(nextInBucket, one)) {
      const lowest = evaluated(one);
      dominator[one] = of(semi, lowest) < of(semi, one) ? lowest : above;
    }
    bucket[above] = NONE;
  }
  for (let place = 1; place < reached; place++) {
    if (of(dominator, place) !== of(semi, place)) dominator[place] = of(dominator, of(dominator, place));
  }
  return dominator;
}
