/** The shortest way from the root to each object. */

import { type HeapGraph, nodeCount, of, ROOT } from "./heapGraph";

export interface Ways {
  /** Steps from the root, or from a global object; −1: only weak references lead there. */
  distance: Int32Array;
  /** Who holds the node on the shortest way, and by which edge; −1 for the root. */
  holder: Int32Array;
  edge: Int32Array;
}

/**
 * Breadth first. A way through a global object says more to the reader than one through V8's own lists, so all that
 * can be reached from those is reached from there.
 */
export function waysOf(graph: HeapGraph, holds: Uint8Array): Ways {
  const size = nodeCount(graph);
  const { firstEdge, edgeTo, edgeType } = graph;
  const shortcut = graph.edgeTypes.indexOf("shortcut");
  const ways: Ways = {
    distance: new Int32Array(size).fill(-1),
    holder: new Int32Array(size).fill(-1),
    edge: new Int32Array(size).fill(-1),
  };
  const queue = new Uint32Array(size);
  let length = 0;
  let at = 0;
  const meet = (node: number, holder: number, edge: number, distance: number) => {
    if (of(ways.distance, node) >= 0) return;
    ways.distance[node] = distance;
    ways.holder[node] = holder;
    ways.edge[node] = edge;
    queue[length++] = node;
  };
  const spread = () => {
    while (at < length) {
      const node = of(queue, at++);
      const end = of(firstEdge, node + 1);
      for (let edge = of(firstEdge, node); edge < end; edge++) {
        if (holds[edge]) meet(of(edgeTo, edge), node, edge, of(ways.distance, node) + 1);
      }
    }
  };
  ways.distance[ROOT] = 0;
  const end = of(firstEdge, ROOT + 1);
  for (let edge = of(firstEdge, ROOT); edge < end; edge++) {
    if (holds[edge] && of(edgeType, edge) === shortcut) meet(of(edgeTo, edge), ROOT, edge, 1);
  }
  spread();
  queue[length++] = ROOT;
  spread();
  return ways;
}
