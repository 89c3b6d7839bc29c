/**
 * The tree that a flame graph draws: calls of the same function from the same caller are one node, the heaviest child
 * stands first. Nodes are in drawing order, so a branch is a range and skipping it is one step.
 */

import { type Frames, framesOf, mixed } from "./frames";
import { at, type Profile, summedUp, type WeightUnit } from "./profile";

export interface FlameTree {
  unit: WeightUnit;
  frames: Frames;
  /** Leaves at the top, their callers below. */
  inverted: boolean;
  /** Index 0 is everything and has frame -1. */
  frame: Int32Array;
  /** The line that weighed most. */
  line: Int32Array;
  parent: Int32Array;
  depth: Int32Array;
  /** First index after the last descendant. */
  end: Int32Array;
  /** Where the node begins, in units of `total`. */
  start: Float64Array;
  total: Float64Array;
  self: Float64Array;
  samples: Float64Array;
  /** Of the way from the root: finds the node again in another run. */
  path: Uint32Array;
  deepest: number;
  /** In a comparison `total` is the mean of both shares of everything, and these are the weights. */
  compared: Compared | null;
}

export interface Compared {
  before: Float64Array;
  now: Float64Array;
  beforeSelf: Float64Array;
  nowSelf: Float64Array;
  /** Weights of everything. */
  beforeAll: number;
  nowAll: number;
}

/** An inverted tree of 100,000 deep stacks would have millions of nodes that nobody can see. */
export const MOST_INVERTED = 250_000;

export function flameTreeOf(profile: Profile): FlameTree {
  const made = new Made(profile.parent.length + 1);
  const merged = made.takeIn(profile, (frame) => frame);
  const self = spread(profile.self, merged, made.size);
  const samples = spread(profile.samples, merged, made.size);
  return inOrder({
    unit: profile.unit,
    frames: profile.frames,
    inverted: false,
    parent: made.parents(),
    frame: made.frames(),
    line: heaviestLines(profile, merged, made.size),
    total: summedUp(made.parents(), self),
    self,
    samples: summedUp(made.parents(), samples),
    compared: null,
  });
}

/** Both profiles as one tree. A function is the same in both by its name and file; lines may have moved. */
export function comparedTreeOf(before: Profile, now: Profile): FlameTree {
  const known = new Map<string, number>();
  const rows: [string, string, number][] = [];
  const joint = (frames: Frames) =>
    frames.name.map((name, frame) => {
      const key = `${name}\n${frames.file[frame]}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      known.set(key, rows.length);
      return rows.push([name, frames.file[frame] as string, at(frames.line, frame)]) - 1;
    });
  const ofNow = joint(now.frames);
  const ofBefore = joint(before.frames);
  const made = new Made(before.parent.length + now.parent.length + 1);
  const mergedNow = made.takeIn(now, (frame) => ofNow[frame] as number);
  const mergedBefore = made.takeIn(before, (frame) => ofBefore[frame] as number);
  const parent = made.parents();
  const beforeSelf = spread(before.self, mergedBefore, made.size);
  const nowSelf = spread(now.self, mergedNow, made.size);
  const share = (own: number, all: number) => (all > 0 ? own / all / 2 : 0);
  const self = nowSelf.map((own, node) => share(own, now.weight) + share(at(beforeSelf, node), before.weight));
  return inOrder({
    unit: now.unit,
    frames: framesOf(rows),
    inverted: false,
    parent,
    frame: made.frames(),
    line: heaviestLines(now, mergedNow, made.size),
    total: summedUp(parent, self),
    self,
    samples: summedUp(parent, spread(now.samples, mergedNow, made.size)),
    compared: {
      before: summedUp(parent, beforeSelf),
      now: summedUp(parent, nowSelf),
      beforeSelf,
      nowSelf,
      beforeAll: before.weight,
      nowAll: now.weight,
    },
  });
}

/** Branches of one function and one way to it, while they wait to be opened. */
interface Branches {
  parent: number;
  frame: number;
  weight: number;
  /** Where the weight was measured, and how far up its stack we are. */
  origins: number[];
  reached: number[];
}

/** Leaves first. Heaviest branches are opened first; when there are MOST_INVERTED nodes, what is left is not opened. */
export function invertedTreeOf(tree: FlameTree, most = MOST_INVERTED): FlameTree {
  const made = new Made(most + 1);
  const weights: number[] = [at(tree.total, 0)];
  const samples: number[] = [at(tree.samples, 0)];
  const compared = tree.compared && { before: [tree.compared.beforeAll], now: [tree.compared.nowAll] };
  const lines: number[] = [0];
  const ownSamples = ownOf(tree.samples, tree.parent);
  const waiting = new Heap();
  const branchOff = (parent: number, origins: readonly number[], reached: readonly number[]) => {
    const branches = new Map<number, Branches>();
    origins.forEach((origin, index) => {
      const node = reached[index] as number;
      if (node <= 0) return;
      const frame = at(tree.frame, node);
      let branch = branches.get(frame);
      if (!branch) {
        branch = { parent, frame, weight: 0, origins: [], reached: [] };
        branches.set(frame, branch);
      }
      branch.weight += at(tree.self, origin);
      branch.origins.push(origin);
      branch.reached.push(node);
    });
    for (const branch of branches.values()) waiting.push(branch);
  };
  const leaves: number[] = [];
  for (let node = 1; node < tree.frame.length; node++) if (at(tree.self, node) > 0) leaves.push(node);
  branchOff(0, leaves, leaves);
  for (let branch = waiting.pop(); branch && made.size <= most; branch = waiting.pop()) {
    const { origins, reached } = branch;
    const node = made.add(branch.parent, branch.frame);
    weights[node] = branch.weight;
    samples[node] = sumOf(origins, ownSamples);
    lines[node] = at(tree.line, reached[heaviestOf(origins, tree.self)] as number);
    if (compared && tree.compared) {
      compared.before[node] = sumOf(origins, tree.compared.beforeSelf);
      compared.now[node] = sumOf(origins, tree.compared.nowSelf);
    }
    branchOff(
      node,
      origins,
      reached.map((below) => at(tree.parent, below)),
    );
  }
  const parent = made.parents();
  const total = Float64Array.from(weights);
  return inOrder({
    unit: tree.unit,
    frames: tree.frames,
    inverted: true,
    parent,
    frame: made.frames(),
    line: Int32Array.from(lines),
    total,
    self: ownOf(total, parent),
    samples: Float64Array.from(samples),
    compared: compared &&
      tree.compared && {
        ...tree.compared,
        before: Float64Array.from(compared.before),
        now: Float64Array.from(compared.now),
        beforeSelf: ownOf(Float64Array.from(compared.before), parent),
        nowSelf: ownOf(Float64Array.from(compared.now), parent),
      },
  });
}

const sumOf = (nodes: readonly number[], values: Float64Array) =>
  nodes.reduce((sum, node) => sum + at(values, node), 0);

function heaviestOf(nodes: readonly number[], values: Float64Array): number {
  let heaviest = 0;
  nodes.forEach((node, index) => {
    if (at(values, node) > at(values, nodes[heaviest] as number)) heaviest = index;
  });
  return heaviest;
}

/** What is left of each total without the children's. */
function ownOf(total: Float64Array, parent: Int32Array): Float64Array {
  const own = total.slice();
  for (let node = 1; node < own.length; node++) {
    const above = at(parent, node);
    own[above] = Math.max(0, at(own, above) - at(total, node));
  }
  return own;
}

/** Nodes as they are found: one for each caller and function. */
class Made {
  size = 1;
  private readonly known = new Map<number, number>();
  private readonly parent: Int32Array;
  private readonly frame: Int32Array;

  constructor(most: number) {
    this.parent = new Int32Array(most);
    this.frame = new Int32Array(most);
    this.parent[0] = -1;
    this.frame[0] = -1;
  }

  add(parent: number, frame: number): number {
    this.parent[this.size] = parent;
    this.frame[this.size] = frame;
    return this.size++;
  }

  /** For each node of the profile the one that it is now a part of. */
  takeIn(profile: Profile, frameOf: (frame: number) => number): Int32Array {
    const merged = new Int32Array(profile.parent.length);
    for (let node = 0; node < merged.length; node++) {
      const above = at(profile.parent, node);
      const parent = above < 0 ? 0 : at(merged, above);
      const frame = frameOf(at(profile.frame, node));
      const key = parent * STRIDE + frame;
      let found = this.known.get(key);
      if (found === undefined) {
        found = this.add(parent, frame);
        this.known.set(key, found);
      }
      merged[node] = found;
    }
    return merged;
  }

  parents = () => this.parent.subarray(0, this.size);
  frames = () => this.frame.subarray(0, this.size);
}

/** More functions than any profile has. */
const STRIDE = 2 ** 24;

function spread(values: Float64Array, merged: Int32Array, size: number): Float64Array {
  const into = new Float64Array(size);
  for (let node = 0; node < values.length; node++) {
    const target = at(merged, node);
    into[target] = at(into, target) + at(values, node);
  }
  return into;
}

function heaviestLines(profile: Profile, merged: Int32Array, size: number): Int32Array {
  const line = new Int32Array(size);
  const most = new Float64Array(size).fill(-1);
  for (let node = 0; node < merged.length; node++) {
    const target = at(merged, node);
    if (at(profile.total, node) > at(most, target)) {
      most[target] = at(profile.total, node);
      line[target] = at(profile.line, node);
    }
  }
  return line;
}

type Unordered = Omit<FlameTree, "depth" | "end" | "start" | "path" | "deepest">;

/** The same tree in drawing order. */
function inOrder(made: Unordered): FlameTree {
  const size = made.frame.length;
  const children = childrenOf(made.parent, made.total);
  const order = new Int32Array(size);
  const depth = new Int32Array(size);
  const parent = new Int32Array(size).fill(-1);
  const end = new Int32Array(size);
  const start = new Float64Array(size);
  const path = new Uint32Array(size);
  path[0] = 1;
  let deepest = 0;
  let next = 0;
  const open: { node: number; above: number; from: number }[] = [{ node: 0, above: -1, from: 0 }];
  for (let one = open.pop(); one; one = open.pop()) {
    const { node, above, from } = one;
    const place = next++;
    order[place] = node;
    parent[place] = above;
    start[place] = from;
    if (above >= 0) {
      depth[place] = at(depth, above) + 1;
      path[place] = mixed(at(path, above), at(made.frames.hash, at(made.frame, node)));
    }
    deepest = Math.max(deepest, at(depth, place));
    const below = children(node);
    // the stack gives back in reverse
    let after = from;
    for (const child of below) after += at(made.total, child);
    for (let index = below.length - 1; index >= 0; index--) {
      const child = below[index] as number;
      after -= at(made.total, child);
      open.push({ node: child, above: place, from: after });
    }
  }
  end.fill(size);
  for (let place = size - 1; place > 0; place--) {
    end[place] = place + 1;
  }
  for (let place = size - 1; place > 0; place--) {
    const above = at(parent, place);
    if (above > 0) end[above] = Math.max(at(end, above), at(end, place));
  }
  const floats = (values: Float64Array) => Float64Array.from(order, (node) => at(values, node));
  const { compared } = made;
  return {
    ...made,
    frame: Int32Array.from(order, (node) => at(made.frame, node)),
    line: Int32Array.from(order, (node) => at(made.line, node)),
    parent,
    depth,
    end,
    start,
    total: floats(made.total),
    self: floats(made.self),
    samples: floats(made.samples),
    path,
    deepest,
    compared: compared && {
      ...compared,
      before: floats(compared.before),
      now: floats(compared.now),
      beforeSelf: floats(compared.beforeSelf),
      nowSelf: floats(compared.nowSelf),
    },
  };
}

/** The children of each node, heaviest first. */
function childrenOf(parent: Int32Array, total: Float64Array): (node: number) => Int32Array {
  const first = new Int32Array(parent.length + 1);
  for (let node = 1; node < parent.length; node++) first[at(parent, node) + 1] = at(first, at(parent, node) + 1) + 1;
  for (let node = 0; node < parent.length; node++) first[node + 1] = at(first, node + 1) + at(first, node);
  const next = first.slice();
  const all = new Int32Array(Math.max(0, parent.length - 1));
  for (let node = 1; node < parent.length; node++) {
    const above = at(parent, node);
    all[at(next, above)] = node;
    next[above] = at(next, above) + 1;
  }
  const sorted = new Uint8Array(parent.length);
  return (node) => {
    const own = all.subarray(at(first, node), at(first, node + 1));
    if (!sorted[node]) own.sort((a, b) => at(total, b) - at(total, a) || a - b);
    sorted[node] = 1;
    return own;
  };
}

/** The branches by weight. */
class Heap {
  private readonly items: Branches[] = [];

  push(one: Branches): void {
    const { items } = this;
    let place = items.push(one) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if ((items[above] as Branches).weight >= one.weight) break;
      items[place] = items[above] as Branches;
      place = above;
    }
    items[place] = one;
  }

  pop(): Branches | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || !last) return top;
    let place = 0;
    for (;;) {
      let below = place * 2 + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && (items[below + 1] as Branches).weight > (items[below] as Branches).weight)
        below++;
      if ((items[below] as Branches).weight <= last.weight) break;
      items[place] = items[below] as Branches;
      place = below;
    }
    items[place] = last;
    return top;
  }
}

/** The node at the end of this way; 0 when it is not there. */
export function nodeAt(tree: FlameTree, path: string | undefined): number {
  if (!path) return 0;
  const wanted = Number.parseInt(path, 36);
  return Math.max(0, tree.path.indexOf(wanted));
}

export const pathOf = (tree: FlameTree, node: number) => (node > 0 ? at(tree.path, node).toString(36) : undefined);

/** From the outermost caller to the node. */
export function wayTo(tree: FlameTree, node: number): number[] {
  const way: number[] = [];
  for (let above = node; above > 0; above = at(tree.parent, above)) way.push(above);
  return way.reverse();
}

/** Share of everything that ran in or below a matching function. */
export function matchedShare(tree: FlameTree, matches: Uint8Array): number {
  let weight = 0;
  let node = 1;
  while (node < tree.frame.length) {
    if (matches[at(tree.frame, node)]) {
      weight += at(tree.total, node);
      node = at(tree.end, node);
    } else node++;
  }
  return at(tree.total, 0) > 0 ? weight / at(tree.total, 0) : 0;
}
