/** The map's figures as labels, widths and colours. */

import type { ElementDefinition } from "cytoscape";

import type { MapEdge, MapNode, NodeType } from "../../api/types";
import { duration, percent, rate, text } from "../../domain/format";
import { type Health, healthOf } from "../../domain/health";
import { shortened } from "../shortened";
import { callId, type Layout, relativeTo } from "./layout";

export interface NodeData {
  id: string;
  label: string;
  type: NodeType;
  health: Health;
}

export interface EdgeData {
  id: string;
  source: string;
  target: string;
  label: string;
  health: Health;
  width: number;
  /** To or from a queue. */
  message: "yes" | "no";
}

export function nodeData(node: MapNode, seconds: number): NodeData {
  const figures =
    node.requests > 0
      ? `\n${text(rate(node.requests / seconds))} · ${text(duration(node.p95_ms ?? node.average_ms))}`
      : "";
  return { id: node.id, label: shortened(node.name) + figures, type: node.type, health: healthOf(node) };
}

/** The latency is a p95 where percentiles are known, else an average. */
export function edgeData(edge: MapEdge, seconds: number): EdgeData {
  if (edge.requests === 0) {
    const { source, target, is_message } = edge;
    const message = is_message ? "yes" : "no";
    return { id: callId(source, target), source, target, label: "", health: "idle", message, width: 1.2 };
  }
  const parts = [text(rate(edge.requests / seconds))];
  const latency = edge.p95_ms ?? edge.average_ms;
  if (latency !== null) parts.push(text(duration(latency)));
  if (edge.errors > 0) parts.push(`✕ ${text(percent(edge.errors / edge.requests))}`);
  return {
    id: callId(edge.source, edge.target),
    source: edge.source,
    target: edge.target,
    label: parts.join(" · "),
    health: healthOf(edge),
    message: edge.is_message ? "yes" : "no",
    width: 1.2 + Math.min(3.8, Math.log10(1 + edge.requests / seconds) * 1.6),
  };
}

export function elementsOf(
  nodes: readonly MapNode[],
  edges: readonly MapEdge[],
  seconds: number,
  layout: Layout,
): ElementDefinition[] {
  const drawn = edges.filter(({ source, target }) => layout.places.has(source) && layout.places.has(target));
  return [
    ...nodes.map((node) => ({
      data: nodeData(node, seconds),
      position: { ...(layout.places.get(node.id) ?? ORIGIN) },
    })),
    ...drawn.map((edge) => {
      const bends = bendsOf(edge, layout);
      return { data: { ...edgeData(edge, seconds), ...bends }, classes: bends && "bent" };
    }),
  ];
}

const ORIGIN = { x: 0, y: 0 };

/** A bent call as Cytoscape has it: points relative to the straight line, so that they follow a node that is dragged. */
export interface Bends {
  weights: string;
  distances: string;
}

function bendsOf({ source, target }: MapEdge, { places, bends }: Layout): Bends | undefined {
  const points = bends.get(callId(source, target));
  if (!points) return undefined;
  const relative = points.map((point) => relativeTo(places.get(source) ?? ORIGIN, places.get(target) ?? ORIGIN, point));
  return {
    weights: relative.map(({ weight }) => weight.toFixed(4)).join(" "),
    distances: relative.map(({ distance }) => distance.toFixed(1)).join(" "),
  };
}
