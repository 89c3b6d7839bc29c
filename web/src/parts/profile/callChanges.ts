/** Two runs of `calls` beside each other. Runs differ in length, so all figures are of a second of each. */

import type { CallRow, Calls } from "./calls";

interface Rates {
  /** A second. */
  calls: number;
  /** Nanoseconds a second. */
  self: number;
  total: number;
  /** Nanoseconds of one call; null where there were resumptions alone. */
  each: number | null;
}

export interface CallChange {
  key: string;
  name: string;
  file: string;
  line: number;
  /** Null: it was not called in that run. */
  before: Rates | null;
  now: Rates | null;
  calls: number;
  self: number;
}

/** By name and file, since a release moves lines. Functions that share both, as lambdas do, are one. */
export function callChanges(before: Calls, now: Calls): CallChange[] {
  const then = byName(before);
  const here = byName(now);
  return [...new Set([...then.keys(), ...here.keys()])].map((key) => {
    const was = then.get(key);
    const is = here.get(key);
    const { name, file, line } = (is ?? was) as CallRow;
    const rates = { before: ratesOf(was, before.seconds), now: ratesOf(is, now.seconds) };
    return {
      key,
      name,
      file,
      line,
      ...rates,
      calls: (rates.now?.calls ?? 0) - (rates.before?.calls ?? 0),
      self: (rates.now?.self ?? 0) - (rates.before?.self ?? 0),
    };
  });
}

function byName(calls: Calls): Map<string, CallRow> {
  const found = new Map<string, CallRow>();
  for (const row of calls.rows) {
    const key = `${row.name}\n${row.file}`;
    const known = found.get(key);
    found.set(
      key,
      known
        ? { ...known, calls: known.calls + row.calls, self: known.self + row.self, total: known.total + row.total }
        : row,
    );
  }
  return found;
}

function ratesOf(row: CallRow | undefined, seconds: number): Rates | null {
  if (!row) return null;
  return {
    calls: row.calls / seconds,
    self: row.self / seconds,
    total: row.total / seconds,
    each: row.calls ? row.total / row.calls : null,
  };
}
