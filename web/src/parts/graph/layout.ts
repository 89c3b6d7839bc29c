/** Where the nodes of the map stand: callers left, callees right (or above and below). The same graph always gives the same picture. */

import { graphlib, layout } from "@dagrejs/dagre";

import type { MapEdge, MapNode } from "../../api/types";

export interface Place {
  x: number;
  y: number;
}

/** Which way calls run. */
export type Direction = "right" | "down";

export interface Layout {
  /** By the node's id. */
  places: ReadonlyMap<string, Place>;
  /** Bends of the calls that pass other nodes on their way, by `callId`. Calls between neighbours are straight. */
  bends: ReadonlyMap<string, readonly Place[]>;
}

export const callId = (source: string, target: string) => JSON.stringify([source, target]);

const NODE = { width: 130, height: 84 };
/** Labels lie level, so they need room along calls to the right and little along calls downwards. */
const LABEL = {
  right: { width: 120, height: 16, labelpos: "c" },
  down: { width: 30, height: 16, labelpos: "c" },
};
/** Points that the layout puts between two neighbours for the label alone. */
const STRAIGHT_POINTS = 1;

/** The parts of a map that the layout depends on: figures may change and nothing moves. */
export function shapeOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): string {
  return JSON.stringify([nodes.map(({ id }) => id).sort(), edges.map(({ source, target }) => [source, target]).sort()]);
}

export function layoutOf(nodes: readonly MapNode[], edges: readonly MapEdge[], calls: Direction): Layout {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: calls === "right" ? "LR" : "TB", nodesep: 44, ranksep: 36, marginx: 10, marginy: 10 });
  // in the order of their names, not of the answer
  for (const id of nodes.map((node) => node.id).sort()) graph.setNode(id, { ...NODE });
  const pairs = edges.map(({ source, target }) => [source, target] as const).sort();
  for (const [source, target] of pairs) {
    if (graph.hasNode(source) && graph.hasNode(target)) graph.setEdge(source, target, { ...LABEL[calls] });
  }
  layout(graph);
  const places = graph.nodes().map((id) => [id, placeOf(graph.node(id))] as const);
  const bends = graph
    .edges()
    .map(({ v, w }) => [callId(v, w), (graph.edge(v, w).points as Place[]).slice(1, -1).map(placeOf)] as const)
    .filter(([, points]) => points.length > STRAIGHT_POINTS);
  return { places: new Map(places), bends: new Map(bends) };
}

const placeOf = ({ x, y }: Place): Place => ({ x, y });

/** Where `point` is relative to the straight line of a call: share of its length, distance to its right in pixels. */
export function relativeTo(from: Place, to: Place, point: Place): { weight: number; distance: number } {
  const [along, across] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(along, across) || 1;
  const [x, y] = [point.x - from.x, point.y - from.y];
  return { weight: (x * along + y * across) / length ** 2, distance: (y * along - x * across) / length };
}
