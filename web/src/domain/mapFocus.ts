/** The part of a map around one node. */

import type { MapEdge } from "../api/types";

/** How far from the chosen node the map stays bright; 0: no matter how far. */
export const HOPS = [1, 2, 3, 0] as const;
export type Hops = (typeof HOPS)[number];

/** The node, who leads to it within so many calls, and whom it leads to. Two callers of one service are not near each other. */
export function nearOf(id: string, edges: readonly Pick<MapEdge, "source" | "target">[], hops: Hops): Set<string> {
  const callees = new Map<string, string[]>();
  const callers = new Map<string, string[]>();
  for (const { source, target } of edges) {
    callees.set(source, [...(callees.get(source) ?? []), target]);
    callers.set(target, [...(callers.get(target) ?? []), source]);
  }
  const most = hops === 0 ? Number.POSITIVE_INFINITY : hops;
  return new Set([...reached(id, callees, most), ...reached(id, callers, most)]);
}

function reached(id: string, next: ReadonlyMap<string, readonly string[]>, most: number): Set<string> {
  const seen = new Set([id]);
  let edge = [id];
  for (let hop = 0; hop < most && edge.length > 0; hop++) {
    edge = edge.flatMap((one) => next.get(one) ?? []).filter((one) => !seen.has(one));
    for (const one of edge) seen.add(one);
  }
  return seen;
}
