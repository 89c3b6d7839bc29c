/** `sonde.calls.v1` as arrays: functions, and who called whom how often and for how long. See docs/debugger.md. */

import { type FrameRow, type Frames, framesOf } from "./frames";
import type { Neighbour, Neighbourhood } from "./functions";
import { at, BadProfile } from "./profile";

export interface CallsFile {
  format: string;
  duration_ns: number;
  functions: FrameRow[];
  /** Caller (-1: from outside), callee, calls, inclusive ns, exclusive ns. */
  edges: [caller: number, callee: number, calls: number, inclusive: number, exclusive: number][];
  /** For each function the time that it waited, where that was measured. */
  waiting_ns?: number[];
}

export interface CallRow {
  /** Index of the function. */
  index: number;
  key: string;
  name: string;
  file: string;
  line: number;
  calls: number;
  /** Nanoseconds. */
  self: number;
  total: number;
  waiting: number | null;
}

export interface Calls {
  frames: Frames;
  rows: CallRow[];
  edges: CallsFile["edges"];
  /** How long it was watched. */
  seconds: number;
  /** All exclusive time. */
  weight: number;
  /** Places in `edges`, by function. */
  into: number[][];
  outOf: number[][];
}

/** Raises BadProfile when an edge leads to a function that is not there. */
export function callsOf(file: CallsFile): Calls {
  const frames = framesOf(file.functions);
  const rows = file.functions.map<CallRow>(([name, path, line], index) => ({
    index,
    key: `${name}\n${path}\n${line}`,
    name,
    file: path,
    line,
    calls: 0,
    self: 0,
    total: 0,
    waiting: file.waiting_ns?.[index] ?? null,
  }));
  const into: number[][] = rows.map(() => []);
  const outOf: number[][] = rows.map(() => []);
  let weight = 0;
  file.edges.forEach(([caller, callee, calls, inclusive, exclusive], edge) => {
    const row = rows[callee];
    if (!row || (caller >= 0 && !rows[caller]))
      throw new BadProfile(`edge ${edge} leads to a function that is not there`);
    row.calls += calls;
    row.self += exclusive;
    row.total += inclusive;
    weight += exclusive;
    (into[callee] as number[]).push(edge);
    if (caller >= 0) (outOf[caller] as number[]).push(edge);
  });
  return { frames, rows, edges: file.edges, seconds: Math.max(file.duration_ns, 1) / 1e9, weight, into, outOf };
}

/** Who called a function and whom it called, by inclusive time. `outside` names callers that were not watched. */
export function aroundFunction(calls: Calls, index: number, outside: string): Neighbourhood {
  const { rows, edges, into, outOf } = calls;
  const row = rows[index] as CallRow;
  const neighbour = (edge: number, end: 0 | 1): Neighbour => {
    const [, , count, inclusive] = edges[edge] as CallsFile["edges"][number];
    const other = rows[(edges[edge] as CallsFile["edges"][number])[end]];
    const { key, name, file, line } = other ?? { key: "", name: outside, file: "", line: 0 };
    return { key, name, file, line, weight: inclusive, calls: count };
  };
  const heaviest = (found: Neighbour[]) => found.sort((a, b) => b.weight - a.weight);
  return {
    self: row.self,
    total: row.total,
    callers: heaviest((into[index] as number[]).map((edge) => neighbour(edge, 0))),
    callees: heaviest((outOf[index] as number[]).map((edge) => neighbour(edge, 1))),
  };
}

export interface Surroundings {
  /** Functions, the one in the middle first. */
  functions: number[];
  /** Between them, heaviest first; a call of itself is left out, and so are light ones where there are many. */
  edges: { caller: number; callee: number; calls: number; weight: number }[];
}

/** The part of the call graph around a function: always the heaviest call of what is there already leads on. */
export function surroundings(calls: Calls, centre: number, most: number): Surroundings {
  const { edges, into, outOf } = calls;
  const taken = new Set([centre]);
  const waiting: { weight: number; other: number }[] = [];
  const lookAround = (index: number) => {
    for (const edge of [...(into[index] as number[]), ...(outOf[index] as number[])]) {
      const [caller, callee, , inclusive] = edges[edge] as CallsFile["edges"][number];
      const other = caller === index ? callee : caller;
      if (other >= 0 && !taken.has(other)) waiting.push({ weight: inclusive, other });
    }
  };
  lookAround(centre);
  while (taken.size < most && waiting.length > 0) {
    const heaviest = waiting.reduce((found, one, place) => (one.weight > weightAt(waiting, found) ? place : found), 0);
    const other = waiting.splice(heaviest, 1)[0]?.other;
    if (other === undefined || taken.has(other)) continue;
    taken.add(other);
    lookAround(other);
  }
  const within = [...taken]
    .flatMap((index) => outOf[index] as number[])
    .map((edge) => edges[edge] as CallsFile["edges"][number])
    .filter(([caller, callee]) => caller !== callee && taken.has(callee))
    .map(([caller, callee, count, weight]) => ({ caller, callee, calls: count, weight }))
    .sort((a, b) => b.weight - a.weight);
  // each function keeps the heaviest call that leads to it, and all that touch the middle; of the rest the heaviest
  const reached = new Set<number>();
  let others = taken.size;
  const kept = within.filter(({ caller, callee }) => {
    const leads = !reached.has(callee) || caller === centre || callee === centre;
    reached.add(callee);
    return leads || others-- > 0;
  });
  return { functions: [...taken], edges: kept };
}

const weightAt = (waiting: readonly { weight: number }[], place: number) =>
  (waiting[place] as { weight: number }).weight;

/** The function of this hash, else the one with the most time of its own. */
export function centreOf(calls: Calls, fn: string | undefined): number {
  const wanted = fn === undefined ? -1 : calls.frames.hash.indexOf(Number.parseInt(fn, 36));
  if (wanted >= 0) return wanted;
  return calls.rows.reduce((most, row) => (row.self > (calls.rows[most]?.self ?? -1) ? row.index : most), 0);
}

export const functionInAddress = (calls: Calls, index: number) => at(calls.frames.hash, index).toString(36);
