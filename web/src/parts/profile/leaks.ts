/** `sonde.leaks.v1`: the lines that keep memory, and whether they go on doing so. See docs/tools/leaks.md. */

export type Verdict = "leak" | "unsure" | "growing" | "bounded" | "warm-up";

export interface LeakSite {
  file: string;
  line: number;
  type: string;
  /** Where in a library it was allocated on behalf of the line. */
  via: { file: string; line: number } | null;
  verdict: Verdict | string;
  why: string;
  bytes: number;
  blocks: number;
  bytes_per_loop: number;
  approximate: boolean;
  /** From the root that holds it down to the object. */
  chain: string[];
  /** Loop, bytes that lived after it. */
  series?: [loop: number, bytes: number][];
}

export interface LeakRoute {
  route: string;
  loops: number;
  bytes: number;
  bytes_per_loop: number;
}

export interface LeaksFile {
  format: string;
  loops: number;
  bytes: number;
  leaked_bytes: number;
  sites: LeakSite[];
  routes: LeakRoute[];
  /** Loop, resident bytes of the process, bytes kept of what was watched. */
  memory: [loop: number, resident: number, kept: number][];
}

export const siteKey = ({ file, line, type }: LeakSite) => `${file}:${line} ${type}`;

const VERDICTS: readonly Verdict[] = ["leak", "unsure", "growing", "bounded", "warm-up"];

/** Leaks first, then by what is kept. */
export function urgency(site: LeakSite): number {
  const place = VERDICTS.indexOf(site.verdict as Verdict);
  return (place < 0 ? VERDICTS.length : place) * 1e15 - site.bytes;
}

const MOST_POINTS = 160;

/** Every so many points, the last among them, for a picture that is not wider than that. */
export function thinned<T>(points: readonly T[], most = MOST_POINTS): T[] {
  const step = Math.ceil(points.length / most);
  return step <= 1 ? [...points] : points.filter((_, index) => (points.length - 1 - index) % step === 0);
}

/** How far above the lowest each is: of the size of a process, the rise is what matters. */
export function risen(values: readonly number[]): number[] {
  const lowest = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  return values.map((value) => value - lowest);
}
