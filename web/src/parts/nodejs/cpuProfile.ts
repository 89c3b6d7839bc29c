/** V8's CPU profile, as DevTools, Node's inspector and xprofiler write it, in the form that flame graphs are drawn from. */

import type { FrameRow } from "../profile/frames";
import { BadProfile, type Profile, type ProfileFile, profileOf } from "../profile/profile";

export interface CallFrame {
  functionName: string;
  /** A text where V8's protocol wrote it: then lines begin at 0. xprofiler writes a number, and lines begin at 1. */
  scriptId: string | number;
  url: string;
  lineNumber: number;
}

interface CpuNode {
  id: number;
  callFrame: CallFrame;
  hitCount?: number;
  children?: number[];
  positionTicks?: { line: number; ticks: number }[];
}

export interface CpuProfileFile {
  nodes: CpuNode[];
  /** Microseconds of a clock of V8's own. */
  startTime: number;
  endTime: number;
  /** The node that ran at each look, and the microseconds since the look before. */
  samples?: number[];
  timeDeltas?: number[];
  /** Of xprofiler: requests served meanwhile, as CSV. */
  httpDetail?: string[];
}

/** A request that was answered while the profile was taken. */
export interface ServedRequest {
  /** Its number in the file. */
  key: number;
  /** Since the profile began. */
  offset_ms: number;
  url: string;
  method: string;
  /** Whether all of the answer had left. */
  sent: boolean;
  status: number;
  duration_ms: number;
}

export interface CpuProfile {
  /** Without the time in which nothing ran. */
  busy: Profile;
  /** All of it. */
  whole: Profile;
  duration_ms: number;
  /** 0…1 of the duration. */
  idle_share: number;
  collecting_share: number;
  requests: ServedRequest[];
}

/** Raises BadProfile when the file is none. */
export function cpuProfileOf(file: CpuProfileFile): CpuProfile {
  if (!Array.isArray(file?.nodes) || file.nodes.length === 0) throw new BadProfile("the file has no nodes");
  const { order, parent } = flattened(file.nodes);
  const weights = weightsOf(file, order);
  const name = (node: CpuNode) => node.callFrame.functionName;
  const ofName = (wanted: string) =>
    order.reduce((sum, node, place) => (name(node) === wanted ? sum + (weights.ns[place] as number) : sum), 0);
  const all = weights.ns.reduce((sum, ns) => sum + ns, 0);
  const made = (isLeftOut: (node: CpuNode) => boolean) => profileOf(fileOf(order, parent, weights, isLeftOut));
  return {
    busy: made((node) => name(node) === "(idle)"),
    whole: made(() => false),
    duration_ms: Math.max(0, file.endTime - file.startTime) / 1000,
    idle_share: all > 0 ? ofName("(idle)") / all : 0,
    collecting_share: all > 0 ? ofName("(garbage collector)") / all : 0,
    requests: (file.httpDetail ?? []).map(requestOf),
  };
}

/** Parents before their children. */
function flattened(nodes: readonly CpuNode[]): { order: CpuNode[]; parent: Int32Array } {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const inner = new Set(nodes.flatMap(({ children }) => children ?? []));
  const order: CpuNode[] = [];
  const above: number[] = [];
  const todo: [node: CpuNode, parent: number][] = nodes.filter(({ id }) => !inner.has(id)).map((node) => [node, -1]);
  const met = new Set<number>();
  while (todo.length > 0) {
    const [node, parent] = todo.pop() as [CpuNode, number];
    if (met.has(node.id)) throw new BadProfile(`node ${node.id} has two callers`);
    met.add(node.id);
    above.push(parent);
    const place = order.push(node) - 1;
    for (const child of node.children ?? []) {
      const below = known.get(child);
      if (!below) throw new BadProfile(`node ${node.id} calls ${child}, which is not there`);
      todo.push([below, place]);
    }
  }
  if (order.length !== nodes.length) throw new BadProfile("the file's nodes are no tree");
  return { order, parent: Int32Array.from(above) };
}

interface Weights {
  ns: number[];
  looks: number[];
}

/** A look counts until the next one. Files without looks one by one have their number for each node. */
function weightsOf(file: CpuProfileFile, order: readonly CpuNode[]): Weights {
  const { samples = [], timeDeltas = [], startTime, endTime } = file;
  const ns = new Array<number>(order.length).fill(0);
  const looks = new Array<number>(order.length).fill(0);
  if (samples.length === 0) {
    const hits = order.reduce((sum, { hitCount = 0 }) => sum + hitCount, 0);
    order.forEach(({ hitCount = 0 }, place) => {
      looks[place] = hitCount;
      ns[place] = hits > 0 ? (hitCount / hits) * (endTime - startTime) * 1000 : 0;
    });
    return { ns, looks };
  }
  const placeOf = new Map(order.map(({ id }, place) => [id, place]));
  let now = startTime + (timeDeltas[0] ?? 0);
  samples.forEach((id, look) => {
    const place = placeOf.get(id);
    if (place === undefined) throw new BadProfile(`look ${look} is of node ${id}, which is not there`);
    const next = look + 1 < samples.length ? now + (timeDeltas[look + 1] ?? 0) : endTime;
    // V8 writes a delta below 0 where two looks came in the wrong order
    ns[place] = (ns[place] as number) + Math.max(0, next - now) * 1000;
    looks[place] = (looks[place] as number) + 1;
    now = next;
  });
  return { ns, looks };
}

function fileOf(
  order: readonly CpuNode[],
  parent: Int32Array,
  weights: Weights,
  isLeftOut: (node: CpuNode) => boolean,
): ProfileFile {
  const frames = new FrameTable();
  const nodes: ProfileFile["nodes"] = [];
  const samples: ProfileFile["samples"] = [];
  // the root is drawn as everything, not as a function
  const places = new Int32Array(order.length).fill(-1);
  order.forEach((node, place) => {
    if (node.callFrame.functionName === "(root)" || isLeftOut(node)) return;
    const above = parent[place] as number;
    const ran = lineOf(node);
    const now = nodes.push([above < 0 ? -1 : (places[above] as number), frames.placeOf(node.callFrame), ran]) - 1;
    places[place] = now;
    const looks = weights.looks[place] as number;
    if (looks > 0) samples.push([now, weights.ns[place] as number, looks]);
  });
  return { format: "cpuprofile", tool: "cpu", unit: "nanoseconds", frames: frames.rows, nodes, samples };
}

/** The line that was met most often; 0 where only the function is known. */
function lineOf({ positionTicks = [] }: CpuNode): number {
  return positionTicks.reduce((most, one) => (one.ticks > most.ticks ? one : most), { line: 0, ticks: 0 }).line;
}

/** Functions, each once. */
export class FrameTable {
  readonly rows: FrameRow[] = [];
  private readonly places = new Map<string, number>();

  placeOf({ functionName, scriptId, url, lineNumber }: CallFrame): number {
    const isOurs = url !== "";
    const line = isOurs ? lineNumber + (typeof scriptId === "string" ? 1 : 0) : 0;
    const name = functionName || (isOurs ? `(anonymous, line ${line})` : "(anonymous)");
    const key = `${name}\n${url}\n${line}`;
    let place = this.places.get(key);
    if (place === undefined) {
      place = this.rows.push([name, url.replace(/^file:\/\//, ""), line]) - 1;
      this.places.set(key, place);
    }
    return place;
  }
}

/** `offset ms,url,method,sent 0/1,status,duration ms`; the URL may hold commas of its own. */
function requestOf(csv: string, key: number): ServedRequest {
  const fields = csv.split(",");
  const [method = "", sent, status, took] = fields.slice(-4);
  if (fields.length < 6) throw new BadProfile(`request ${key} is not as it should be: ${csv.slice(0, 100)}`);
  return {
    key,
    offset_ms: Number(fields[0]),
    url: fields.slice(1, -4).join(","),
    method,
    sent: sent === "1",
    status: Number(status),
    duration_ms: Number(took),
  };
}
