/** The map in pixels: places of the nodes, and bends of the calls that would pass through one on their way. */

import type { MapEdge, MapNode } from "../../api/types";
import { freeRow, type Spot, type Spots, spotsOf } from "./spots";

export interface Place {
  x: number;
  y: number;
}

/** Which way calls run. */
export type Direction = "right" | "down";

export interface Layout {
  /** By the node's id. */
  places: ReadonlyMap<string, Place>;
  /** Bends of the calls that pass other nodes on their way, by `callId`. Other calls are straight. */
  bends: ReadonlyMap<string, readonly Place[]>;
  spots: Spots;
}

export const callId = (source: string, target: string) => JSON.stringify([source, target]);

/** From one column to the next, and from one row to the next. Labels lie level: they need room along calls to the right. */
const APART = { right: { column: 226, row: 104 }, down: { column: 136, row: 176 } };
/** In rows: a call this near to the middle of a node passes through it. The middle is that of its picture and its name below. */
const CLEAR = 0.5;
const NAME_BELOW = 0.16;

/** The parts of a map that the layout depends on: figures may change and nothing moves. */
export function shapeOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): string {
  return JSON.stringify([nodes.map(({ id }) => id).sort(), edges.map(({ source, target }) => [source, target]).sort()]);
}

export function layoutOf(
  nodes: readonly MapNode[],
  edges: readonly MapEdge[],
  calls: Direction,
  known: Spots = new Map(),
): Layout {
  const spots = spotsOf(
    nodes.map(({ id }) => id),
    edges,
    known,
  );
  const places = new Map([...spots].map(([id, spot]) => [id, placeOf(spot, calls)]));
  const columns = new Map<number, Spot[]>();
  for (const spot of spots.values()) {
    const column = Math.round(spot.column);
    columns.set(column, [...(columns.get(column) ?? []), { ...spot, row: spot.row + NAME_BELOW }]);
  }
  const bends = new Map<string, Place[]>();
  for (const { source, target } of edges) {
    const [from, to] = [spots.get(source), spots.get(target)];
    if (!from || !to || from === to) continue;
    const points = bendsOf(from, to, columns);
    if (points.length > 0)
      bends.set(
        callId(source, target),
        points.map((spot) => placeOf(spot, calls)),
      );
  }
  return { places, bends, spots };
}

export function placeOf({ column, row }: Spot, calls: Direction): Place {
  const apart = APART[calls];
  return calls === "right"
    ? { x: column * apart.column, y: row * apart.row }
    : { x: row * apart.row, y: column * apart.column };
}

/** Where a node that somebody has put there stands. */
export function spotOf({ x, y }: Place, calls: Direction): Spot {
  const apart = APART[calls];
  return calls === "right"
    ? { column: x / apart.column, row: y / apart.row }
    : { column: y / apart.column, row: x / apart.row };
}

/** Around the nodes in the columns between both ends, by the nearest gap. */
function bendsOf(from: Spot, to: Spot, columns: ReadonlyMap<number, readonly Spot[]>): Spot[] {
  const width = to.column - from.column;
  if (width === 0) {
    const between = (columns.get(Math.round(from.column)) ?? []).some(
      ({ row }) => row > Math.min(from.row, to.row) && row < Math.max(from.row, to.row),
    );
    return between ? [{ column: from.column + 0.4, row: (from.row + to.row) / 2 }] : [];
  }
  const points: Spot[] = [];
  const step = Math.sign(width);
  const first = step > 0 ? Math.floor(from.column) + 1 : Math.ceil(from.column) - 1;
  for (let column = first; (to.column - column) * step > 0; column += step) {
    const straight = from.row + ((column - from.column) / width) * (to.row - from.row);
    const row = freeRow(straight, columns.get(column) ?? [], CLEAR);
    if (row !== straight) points.push({ column, row });
  }
  return points;
}

/** Where `point` is relative to the straight line of a call: share of its length, distance to its right in pixels. */
export function relativeTo(from: Place, to: Place, point: Place): { weight: number; distance: number } {
  const [along, across] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(along, across) || 1;
  const [x, y] = [point.x - from.x, point.y - from.y];
  return { weight: (x * along + y * across) / length ** 2, distance: (y * along - x * across) / length };
}
