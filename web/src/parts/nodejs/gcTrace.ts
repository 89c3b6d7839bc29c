/** xprofiler's trace of garbage collections: when each began and ended, and what each heap space held before and after. */

import { BadProfile } from "../profile/profile";

interface SpaceSize {
  name: string;
  space_size: number;
  space_used_size: number;
}

export interface GcTraceFile {
  /** Seconds that the process had run. */
  startTime: number;
  stopTime: number;
  gc: {
    type: string;
    /** Milliseconds since the trace began. */
    start: number;
    end: number;
    before: SpaceSize[];
    after: SpaceSize[];
  }[];
}

export interface Collection {
  key: number;
  type: string;
  start_ms: number;
  pause_ms: number;
  /** Used bytes of all spaces. */
  before_bytes: number;
  after_bytes: number;
  spaces: { name: string; before_bytes: number; after_bytes: number }[];
}

export interface CollectionsOfType {
  type: string;
  count: number;
  pause_ms: number;
  longest_ms: number;
  freed_bytes: number;
}

export interface GcTrace {
  duration_ms: number;
  collections: Collection[];
  types: CollectionsOfType[];
  pause_ms: number;
  longest_ms: number;
  /** Of the spaces that held anything. */
  spaces: string[];
}

/** Raises BadProfile when the file is none. */
export function gcTraceOf(file: GcTraceFile): GcTrace {
  if (!Array.isArray(file?.gc)) throw new BadProfile("the file has no collections");
  const collections = file.gc.map(collectionOf).sort((a, b) => a.start_ms - b.start_ms);
  const last = collections.at(-1);
  const told_ms = (file.stopTime - file.startTime) * 1000;
  const spaces = new Set(collections.flatMap((one) => one.spaces.filter(isUsed).map(({ name }) => name)));
  return {
    duration_ms: Math.max(told_ms || 0, last ? last.start_ms + last.pause_ms : 0),
    collections,
    types: byType(collections),
    pause_ms: collections.reduce((sum, { pause_ms }) => sum + pause_ms, 0),
    longest_ms: collections.reduce((most, { pause_ms }) => Math.max(most, pause_ms), 0),
    spaces: [...spaces],
  };
}

const isUsed = ({ before_bytes, after_bytes }: Collection["spaces"][number]) => before_bytes > 0 || after_bytes > 0;

function collectionOf(
  { type, start, end, before = [], after = [] }: GcTraceFile["gc"][number],
  key: number,
): Collection {
  const used = (spaces: readonly SpaceSize[]) => new Map(spaces.map((one) => [one.name, one.space_used_size]));
  const then = used(before);
  const now = used(after);
  const sum = (sizes: Map<string, number>) => [...sizes.values()].reduce((all, size) => all + size, 0);
  return {
    key,
    type,
    start_ms: start,
    pause_ms: Math.max(0, end - start),
    before_bytes: sum(then),
    after_bytes: sum(now),
    spaces: [...new Set([...then.keys(), ...now.keys()])].map((name) => ({
      name,
      before_bytes: then.get(name) ?? 0,
      after_bytes: now.get(name) ?? 0,
    })),
  };
}

function byType(collections: readonly Collection[]): CollectionsOfType[] {
  const types = new Map<string, CollectionsOfType>();
  for (const { type, pause_ms, before_bytes, after_bytes } of collections) {
    const one = types.get(type) ?? { type, count: 0, pause_ms: 0, longest_ms: 0, freed_bytes: 0 };
    one.count++;
    one.pause_ms += pause_ms;
    one.longest_ms = Math.max(one.longest_ms, pause_ms);
    one.freed_bytes += before_bytes - after_bytes;
    types.set(type, one);
  }
  return [...types.values()].sort((a, b) => b.pause_ms - a.pause_ms);
}

export interface GcLines {
  /** Epoch seconds. */
  times: number[];
  /** Milliseconds by type, null at the times of others. */
  pauses: { type: string; values: (number | null)[] }[];
  /** Two moments for each collection: what was used as it began, and as it ended. */
  usedTimes: number[];
  used: { space: string; values: (number | null)[] }[];
}

/** What the charts draw, of a trace that began at `began` (epoch milliseconds). */
export function linesOf(trace: GcTrace, began: number): GcLines {
  const at = (ms: number) => (began + ms) / 1000;
  const { collections } = trace;
  return {
    times: collections.map(({ start_ms }) => at(start_ms)),
    pauses: trace.types.map(({ type }) => ({
      type,
      values: collections.map((one) => (one.type === type ? one.pause_ms : null)),
    })),
    usedTimes: collections.flatMap(({ start_ms, pause_ms }) => [
      at(start_ms),
      at(start_ms + Math.max(0.001, pause_ms)),
    ]),
    used: trace.spaces.map((space) => ({
      space,
      values: collections.flatMap(({ spaces }) => {
        const one = spaces.find(({ name }) => name === space);
        return [one?.before_bytes ?? null, one?.after_bytes ?? null];
      }),
    })),
  };
}
