/** A map as it was at one moment, in the picture of a longer time: what was silent then stays where it is, without figures. */

import type { MapEdge, MapNode, ServiceMap } from "../api/types";

export function atMoment(whole: ServiceMap, then: ServiceMap): ServiceMap {
  return {
    from: then.from,
    to: then.to,
    nodes: merged(whole.nodes, then.nodes, ({ id }) => id, silentNode),
    edges: merged(whole.edges, then.edges, ({ source, target }) => JSON.stringify([source, target]), silentEdge),
  };
}

function merged<T>(whole: readonly T[], then: readonly T[], keyOf: (one: T) => string, silent: (one: T) => T): T[] {
  const found = new Map(then.map((one) => [keyOf(one), one]));
  const shown = whole.map((one) => {
    const key = keyOf(one);
    const now = found.get(key);
    found.delete(key);
    return now ?? silent(one);
  });
  return [...shown, ...found.values()];
}

const NOTHING = { requests: 0, errors: 0, average_ms: null, p95_ms: null };

const silentNode = (node: MapNode): MapNode => ({ ...node, ...NOTHING });
const silentEdge = (edge: MapEdge): MapEdge => ({ ...edge, ...NOTHING, other_end: null });
