/** V8's sampling heap profile: which functions allocated what is still there, in the form of a flame graph. */

import { BadProfile, type Profile, type ProfileFile, profileOf } from "../profile/profile";
import { type CallFrame, FrameTable } from "./cpuProfile";

interface AllocatingNode {
  callFrame: CallFrame;
  selfSize: number;
  id?: number;
  children?: AllocatingNode[];
}

export interface HeapProfileFile {
  head: AllocatingNode;
  /** Of the inspector, not of xprofiler: what was sampled, one by one. */
  samples?: { size: number; nodeId: number }[];
}

/** Raises BadProfile when the file is none. */
export function heapProfileOf(file: HeapProfileFile): Profile {
  if (typeof file?.head?.callFrame !== "object") throw new BadProfile("the file has no head");
  const frames = new FrameTable();
  const nodes: ProfileFile["nodes"] = [];
  const samples: ProfileFile["samples"] = [];
  const counts = new Map<number, number>();
  for (const { nodeId } of file.samples ?? []) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  const todo: [node: AllocatingNode, parent: number][] = [[file.head, -1]];
  while (todo.length > 0) {
    const [{ callFrame, selfSize, children = [], id }, parent] = todo.pop() as [AllocatingNode, number];
    let place = parent;
    // the root is drawn as everything, not as a function
    if (callFrame.functionName !== "(root)") {
      place = nodes.push([parent, frames.placeOf(callFrame), 0]) - 1;
      if (selfSize > 0) samples.push([place, selfSize, id === undefined ? 0 : (counts.get(id) ?? 0)]);
    }
    for (const child of children) todo.push([child, place]);
  }
  return profileOf({ format: "heapprofile", tool: "heap", unit: "bytes", frames: frames.rows, nodes, samples });
}
