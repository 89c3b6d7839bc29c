/** A profile by function, file or line, and who called a function and whom it called. */

import { at, type Profile } from "./profile";

export type GroupBy = "function" | "file" | "line";

export interface CostRow {
  /** Name and file, or file, or file and line: the same in another run. */
  key: string;
  /** A frame of the group. */
  frame: number;
  name: string;
  file: string;
  /** 0 where a group has many. */
  line: number;
  self: number;
  /** With everything it called; recursion counts once. */
  total: number;
  samples: number;
}

export function costsBy(profile: Profile, by: GroupBy): CostRow[] {
  const { frames } = profile;
  const rows: CostRow[] = [];
  const places = new Map<string, number>();
  const groupOf = new Int32Array(profile.frame.length);
  for (let node = 0; node < groupOf.length; node++) {
    const frame = at(profile.frame, node);
    const file = frames.file[frame] as string;
    const name = frames.name[frame] as string;
    const line = by === "line" ? at(profile.line, node) : by === "function" ? at(frames.line, frame) : 0;
    const key = by === "function" ? `${name}\n${file}` : by === "file" ? file : `${file}:${line}\n${file ? "" : name}`;
    let group = places.get(key);
    if (group === undefined) {
      group = rows.push({ key, frame, name, file, line, self: 0, total: 0, samples: 0 }) - 1;
      places.set(key, group);
    }
    groupOf[node] = group;
    const row = rows[group] as CostRow;
    row.self += at(profile.self, node);
    if (!isBelowItsLike(profile.parent, groupOf, node)) row.total += at(profile.total, node);
    row.samples += at(profile.samples, node);
  }
  return rows;
}

function isBelowItsLike(parent: Int32Array, groupOf: Int32Array, node: number): boolean {
  const group = at(groupOf, node);
  for (let above = at(parent, node); above >= 0; above = at(parent, above)) {
    if (at(groupOf, above) === group) return true;
  }
  return false;
}

export interface ComparedRow extends CostRow {
  before: { self: number; total: number };
}

/** Rows of both profiles; what is in one only has been 0 in the other. */
export function comparedCosts(before: readonly CostRow[], now: readonly CostRow[]): ComparedRow[] {
  const old = new Map(before.map((row) => [row.key, row]));
  const rows = now.map((row) => {
    const was = old.get(row.key);
    old.delete(row.key);
    return { ...row, before: { self: was?.self ?? 0, total: was?.total ?? 0 } };
  });
  for (const was of old.values()) {
    rows.push({ ...was, self: 0, total: 0, samples: 0, before: { self: was.self, total: was.total } });
  }
  return rows;
}

export interface Neighbour {
  key: string;
  name: string;
  file: string;
  line: number;
  weight: number;
  /** Where calls were counted. */
  calls?: number;
}

export interface Neighbourhood {
  self: number;
  total: number;
  callers: Neighbour[];
  callees: Neighbour[];
}

/** What a function took from its callers and gave to its callees, heaviest first. `key` is that of a CostRow by function. */
export function neighboursOf(profile: Profile, key: string): Neighbourhood {
  const { frames, parent, frame, total } = profile;
  const isWanted = frames.name.map((name, index) => `${name}\n${frames.file[index]}` === key);
  const callers = new Map<string, Neighbour>();
  const callees = new Map<string, Neighbour>();
  const wanted = (node: number) => node >= 0 && isWanted[at(frame, node)] === true;
  const add = (to: Map<string, Neighbour>, node: number, weight: number) => {
    const index = at(frame, node);
    const [name, file] = [frames.name[index] as string, frames.file[index] as string];
    const id = `${name}\n${file}`;
    const found = to.get(id) ?? { key: id, name, file, line: at(frames.line, index), weight: 0 };
    found.weight += weight;
    to.set(id, found);
  };
  const within = new Uint8Array(parent.length);
  const sums = { self: 0, total: 0 };
  for (let node = 0; node < parent.length; node++) {
    const above = at(parent, node);
    const inside = above >= 0 && within[above] === 1;
    if (wanted(node)) {
      within[node] = 1;
      sums.self += at(profile.self, node);
      if (!inside) {
        sums.total += at(total, node);
        if (above >= 0) add(callers, above, at(total, node));
      }
    } else {
      if (inside) within[node] = 1;
      if (wanted(above)) add(callees, node, at(total, node));
    }
  }
  const heaviest = (of: Map<string, Neighbour>) => [...of.values()].sort((a, b) => b.weight - a.weight);
  return { ...sums, callers: heaviest(callers), callees: heaviest(callees) };
}
