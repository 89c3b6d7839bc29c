/** Where the boxes of a call graph stand: callers left, callees right. */

import { graphlib, layout } from "@dagrejs/dagre";

import type { Surroundings } from "./calls";

export const BOX = { width: 190, height: 42 };

export interface PlacedCalls {
  width: number;
  height: number;
  /** Top left corner of each box, by function. */
  boxes: ReadonlyMap<number, { x: number; y: number }>;
  lines: { caller: number; callee: number; calls: number; weight: number; path: string; x: number; y: number }[];
}

export function placed({ functions, edges }: Surroundings): PlacedCalls {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 34, marginx: 12, marginy: 12 });
  for (const index of functions) graph.setNode(String(index), { ...BOX });
  for (const { caller, callee } of edges) {
    graph.setEdge(String(caller), String(callee), { width: 64, height: 14, labelpos: "c" });
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const boxes = new Map(
    functions.map((index) => {
      const { x, y } = graph.node(String(index)) as { x: number; y: number };
      return [index, { x: x - BOX.width / 2, y: y - BOX.height / 2 }];
    }),
  );
  const lines = edges.map((edge) => {
    const { points, x, y } = graph.edge(String(edge.caller), String(edge.callee)) as {
      points: { x: number; y: number }[];
      x: number;
      y: number;
    };
    return { ...edge, path: smooth(points), x, y };
  });
  return { width: Math.ceil(width), height: Math.ceil(height), boxes, lines };
}

/** A curve from the first to the last point that bends at those between. */
function smooth(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points.map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }));
  if (!first) return "";
  const last = rest.pop();
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1] ?? last ?? point;
    const end = index === rest.length - 1 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += `Q${point.x} ${point.y} ${end.x} ${end.y}`;
  });
  return rest.length === 0 && last ? `${path}L${last.x} ${last.y}` : path;
}
