/** Where the nodes of the map stood when this browser saw them last: a node that comes later moves none of them. */

import { remember, remembered } from "../../domain/remembered";
import type { Spot, Spots } from "./spots";

/** The last ones that were seen; what a map of today has is always among them. */
const MOST = 3000;

export function recallSpots(): Spots {
  try {
    const kept: unknown = JSON.parse(remembered("mapSpots") ?? "[]");
    return new Map((kept as [string, number, number][]).map(([id, column, row]) => [id, spot(column, row)]));
  } catch {
    return new Map(); // somebody else wrote it: arranged anew
  }
}

function spot(column: number, row: number): Spot {
  if (!Number.isFinite(column) || !Number.isFinite(row)) throw new TypeError("a spot is two numbers");
  return { column, row };
}

/** In addition to those that are known. */
export function rememberSpots(spots: Spots): void {
  const all = new Map(recallSpots());
  for (const [id, at] of spots) {
    all.delete(id); // the last seen stand last
    all.set(id, at);
  }
  const kept = [...all].slice(-MOST).map(([id, { column, row }]) => [id, rounded(column), rounded(row)]);
  remember("mapSpots", JSON.stringify(kept));
}

export const forgetSpots = () => remember("mapSpots", "[]");

const rounded = (value: number) => Math.round(value * 100) / 100;
