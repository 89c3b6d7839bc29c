/** `sonde.profile.v1` as arrays: a tree of frames with weights, parents before children. See docs/debugger.md. */

import { type FrameRow, type Frames, framesOf } from "./frames";

export type WeightUnit = "nanoseconds" | "bytes" | "count";

export interface ProfileFile {
  format: string;
  tool: string;
  unit: WeightUnit;
  frames: FrameRow[];
  /** Parent's index (-1: a root), index of the frame, line that ran. */
  nodes: [parent: number, frame: number, line: number][];
  /** Node, weight, how many. */
  samples: [node: number, weight: number, count: number][];
  period_ns?: number;
  duration_ns?: number;
}

export interface Profile {
  unit: WeightUnit;
  frames: Frames;
  parent: Int32Array;
  frame: Int32Array;
  line: Int32Array;
  /** Weight of the node itself, without what it called. */
  self: Float64Array;
  total: Float64Array;
  samples: Float64Array;
  /** Weight of everything. */
  weight: number;
}

export class BadProfile extends Error {}

/** Raises BadProfile when the tree is none. */
export function profileOf(file: ProfileFile): Profile {
  const size = file.nodes.length;
  const parent = new Int32Array(size);
  const frame = new Int32Array(size);
  const line = new Int32Array(size);
  file.nodes.forEach(([above, ofFrame, ranLine], node) => {
    if (above >= node || above < -1) throw new BadProfile(`node ${node} stands before its parent ${above}`);
    if (!(ofFrame in file.frames)) throw new BadProfile(`node ${node} is of frame ${ofFrame}, which is not there`);
    parent[node] = above;
    frame[node] = ofFrame;
    line[node] = ranLine;
  });
  const self = new Float64Array(size);
  const samples = new Float64Array(size);
  for (const [node, weight, count] of file.samples) {
    if (!(node >= 0 && node < size)) throw new BadProfile(`a sample is of node ${node}, which is not there`);
    self[node] = at(self, node) + weight;
    samples[node] = at(samples, node) + count;
  }
  const total = summedUp(parent, self);
  let weight = 0;
  for (let node = 0; node < size; node++) if (parent[node] === -1) weight += at(total, node);
  return { unit: file.unit, frames: framesOf(file.frames), parent, frame, line, self, total, samples, weight };
}

/** Each node's own value and those of all below it. */
export function summedUp(parent: Int32Array, own: Float64Array): Float64Array {
  const total = own.slice();
  for (let node = total.length - 1; node >= 0; node--) {
    const above = at(parent, node);
    if (above >= 0) total[above] = at(total, above) + at(total, node);
  }
  return total;
}

/** An element of a typed array whose index is known to be good. */
export const at = (array: Int32Array | Float64Array | Uint32Array | Uint8Array, index: number): number =>
  array[index] as number;
