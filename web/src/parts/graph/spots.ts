/**
 * Where the nodes of the map stand, in columns and rows: callers left of what they call. The same graph always gets the same
 * picture, and a node that comes later moves none of those that are there.
 */

import { type Call, columnsOf } from "./columns";

export interface Spot {
  column: number;
  /** Not always whole: a node stands beside the middle of its neighbours. At least 1 from the next in its column. */
  row: number;
}

export type Spots = ReadonlyMap<string, Spot>;

/** Passes over the columns in which rows move towards their neighbours'. */
const PASSES = 6;
/** Of these the nodes of a map that is known: fewer, and it is another map. */
const LEAST_KNOWN = 0.5;
/** Nodes less than so many columns apart would cover each other in one row: somebody may have moved one off its column. */
const BESIDE = 0.6;

/** Spots for all `ids`. Those in `known` stay where they are, unless most of the map is new: then all is arranged anew. */
export function spotsOf(ids: readonly string[], calls: readonly Call[], known: Spots = new Map()): Spots {
  const kept = ids.filter((id) => known.has(id));
  if (kept.length < ids.length * LEAST_KNOWN || kept.length === 0) return arranged(ids, calls);
  return kept.length === ids.length ? picked(ids, known) : withNew(ids, calls, known);
}

const picked = (ids: readonly string[], known: Spots): Spots => new Map(ids.map((id) => [id, known.get(id) as Spot]));

function arranged(ids: readonly string[], calls: readonly Call[]): Spots {
  const columns = columnsOf(ids, calls);
  const row = new Map<string, number>();
  for (const column of columns) {
    column.forEach((id, index) => {
      row.set(id, index - (column.length - 1) / 2);
    });
  }
  const { callers, callees } = neighboursOf(ids, calls);
  const both = (id: string) => [...(callers.get(id) ?? []), ...(callees.get(id) ?? [])];
  for (let pass = 0; pass < PASSES; pass++) {
    // to the right by callers, back by callees, at the end by all
    const near = pass >= PASSES - 2 ? both : (id: string) => (pass % 2 ? callees : callers).get(id) ?? [];
    for (const column of pass % 2 ? [...columns].reverse() : columns) {
      const wanted = column.map(
        (id) => mean(near(id).map((other) => row.get(other) as number)) ?? (row.get(id) as number),
      );
      apart(wanted).forEach((at, index) => {
        row.set(column[index] as string, at);
      });
    }
  }
  return new Map(
    columns.flatMap((column, at) => column.map((id) => [id, { column: at, row: row.get(id) as number }] as const)),
  );
}

/** The rows nearest to the wanted ones (by least squares) that keep their order and are at least 1 from each other. */
export function apart(wanted: readonly number[]): number[] {
  // less its index, each row may only grow: what would shrink is merged with the one before, and both get their mean
  const runs: { sum: number; count: number }[] = [];
  wanted.forEach((row, index) => {
    let run = { sum: row - index, count: 1 };
    for (let last = runs.at(-1); last && last.sum / last.count > run.sum / run.count; last = runs.at(-1)) {
      run = { sum: run.sum + last.sum, count: run.count + last.count };
      runs.pop();
    }
    runs.push(run);
  });
  let index = 0;
  return runs.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count + index++));
}

function withNew(ids: readonly string[], calls: readonly Call[], known: Spots): Spots {
  const { callers, callees } = neighboursOf(ids, calls);
  const spots = new Map(
    picked(
      ids.filter((id) => known.has(id)),
      known,
    ),
  );
  const taken = [...known.values()]; // also by those that are not there now: they may come back
  const columnOf = (near: readonly string[]) =>
    near.map((id) => spots.get(id)?.column).filter((at) => at !== undefined);
  // who calls comes before who is called, as far as columns can tell
  for (const id of columnsOf(ids, calls).flat()) {
    if (spots.has(id)) continue;
    const before = columnOf(callers.get(id) ?? []);
    const after = columnOf(callees.get(id) ?? []);
    const column = before.length ? Math.max(...before) + 1 : after.length ? Math.min(...after) - 1 : 0;
    const near = [...(callers.get(id) ?? []), ...(callees.get(id) ?? [])];
    const rows = near.map((other) => spots.get(other)?.row).filter((row) => row !== undefined);
    const spot = {
      column,
      row: freeRow(
        mean(rows) ?? 0,
        taken.filter((other) => Math.abs(other.column - column) < BESIDE),
      ),
    };
    spots.set(id, spot);
    taken.push(spot);
  }
  return spots;
}

/** The free row nearest to the wanted one, upwards of two. */
export function freeRow(wanted: number, taken: readonly Spot[], room = 1): number {
  const isFree = (row: number) => taken.every((other) => Math.abs(other.row - row) >= room - 1e-9);
  const candidates = [wanted, ...taken.flatMap(({ row }) => [row - room, row + room])];
  return candidates.filter(isFree).reduce((best, row) => {
    const nearer = Math.abs(row - wanted) - Math.abs(best - wanted);
    return nearer < 0 || (nearer === 0 && row < best) ? row : best;
  }, Number.POSITIVE_INFINITY);
}

function neighboursOf(ids: readonly string[], calls: readonly Call[]) {
  const callers = new Map<string, string[]>(ids.map((id) => [id, []]));
  const callees = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { source, target } of calls) {
    if (source === target) continue;
    const [to, from] = [callees.get(source), callers.get(target)];
    if (!to || !from) continue;
    to.push(target);
    from.push(source);
  }
  return { callers, callees };
}

function mean(values: readonly number[]): number | undefined {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
}
