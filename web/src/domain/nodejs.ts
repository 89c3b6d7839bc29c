/** Node.js processes: how they do, and what can be done in them. No React in it. */

import type { NodejsFile, NodejsFileKind, NodejsFileState, NodejsProcess } from "../api/nodejsTypes";
import type { Health } from "./health";

const WARN_CPU = 60;
const BAD_CPU = 85;
const WARN_HEAP = 0.6;
const BAD_HEAP = 0.85;
const WARN_GC = 5;
const BAD_GC = 15;

const judged = (value: number | null, warn: number, bad: number): Health =>
  value === null ? "idle" : value >= bad ? "error" : value >= warn ? "warn" : "ok";

export const cpuHealth = (percent: number | null) => judged(percent, WARN_CPU, BAD_CPU);
export const heapHealth = (share: number | null) => judged(share, WARN_HEAP, BAD_HEAP);
export const gcHealth = (percent: number | null) => judged(percent, WARN_GC, BAD_GC);

/** null where nobody measured it. */
export function heapShare({ heap_used_bytes, heap_limit_bytes }: NodejsProcess): number | null {
  return heap_used_bytes !== null && heap_limit_bytes ? heap_used_bytes / heap_limit_bytes : null;
}

const ORDER: readonly Health[] = ["error", "warn", "ok"];

/** The worst of CPU, heap and collections; idle when it has ended or says nothing. */
export function processHealth(process: NodejsProcess): Health {
  if (!process.alive || !process.reports) return "idle";
  const all = [cpuHealth(process.cpu_percent), heapHealth(heapShare(process)), gcHealth(process.gc_percent)];
  return ORDER.find((health) => all.includes(health)) ?? "idle";
}

/** What is asked for with a duration, and what is there at once. */
export const RECORDINGS = ["cpuprofile", "heapprofile", "gcprofile"] as const satisfies readonly NodejsFileKind[];
export const MOMENTS = ["heapsnapshot", "diag", "core"] as const satisfies readonly NodejsFileKind[];
export const FILE_KINDS: readonly NodejsFileKind[] = [...RECORDINGS, ...MOMENTS];
export const DURATIONS_S = [10, 30, 60, 180, 300, 600] as const;

export const isRecording = (kind: NodejsFileKind) => (RECORDINGS as readonly NodejsFileKind[]).includes(kind);

export const fileHealth: Record<NodejsFileState, Health> = {
  creating: "warn",
  on_agent: "idle",
  transferring: "warn",
  stored: "ok",
  failed: "error",
};

/** How much of a recording is over, 0…1; null for what is not recorded over a time. */
export function recordedShare({ running, created_at, ends_at }: NodejsFile, now: number): number | null {
  if (!running || !ends_at) return null;
  const began = new Date(created_at).getTime();
  const length = new Date(ends_at).getTime() - began;
  return length > 0 ? Math.min(1, Math.max(0, (now - began) / length)) : null;
}

export const sizeOf = ({ parts }: NodejsFile) =>
  parts.length === 0 ? null : parts.reduce((sum, one) => sum + one.bytes, 0);

/** Of an app, an agent and a pid: unique. */
export const nodejsKey = ({ app, agent, pid }: Pick<NodejsProcess, "app" | "agent" | "pid">) =>
  `${app} ${agent} ${pid}`;
