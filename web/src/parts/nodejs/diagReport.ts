/** xprofiler's diagnostic report. The server hides the secrets of its environment. */

import { BadProfile } from "../profile/profile";

export interface StackFrame {
  functionName: string;
  scriptName: string;
  lineNumber: number;
  column: number;
  frameType: string;
}

export interface NativeFrame {
  pcAddress?: string;
  symbolName?: string;
  sharedObjectName?: string;
}

export interface HeapSpace {
  name: string;
  size: number;
  committed: number;
  used: number;
  available: number;
}

export interface UvHandle {
  type: string;
  address: string;
  hasRef: number;
  isActive: number;
  detail: string;
}

export interface Limit {
  type: string;
  softLimit: string;
  hardLimit: string;
}

export interface DiagReportFile {
  pid: number;
  thread_id: number;
  location: string;
  message: string;
  nodeVersion: string;
  osVersion: string;
  loadTime: string;
  dumpTime: string;
  vmState: string;
  jsStacks: StackFrame[];
  nativeStacks: NativeFrame[];
  heapStatistics: Record<string, number>;
  heapSpaceStatistics: HeapSpace[];
  libuvHandles: UvHandle[];
  system: { env: string[]; resourceLimits: Limit[]; loadedLibraries: string[] };
}

export interface Variable {
  name: string;
  value: string;
  /** Something that looks secret was replaced. */
  masked: boolean;
}

export type DiagReport = Omit<DiagReportFile, "system"> & {
  environment: Variable[];
  limits: Limit[];
  libraries: string[];
};

/** What the server puts in the place of a secret. */
const MASK = "••••••";

/** `NAME=value` */
export function variableOf(text: string): Variable {
  const cut = text.indexOf("=");
  const name = cut < 0 ? text : text.slice(0, cut);
  const value = cut < 0 ? "" : text.slice(cut + 1);
  return { name, value, masked: value.includes(MASK) };
}

/** Raises BadProfile when the file is none. */
export function diagReportOf(file: Partial<DiagReportFile>): DiagReport {
  if (typeof file?.pid !== "number" || typeof file.system !== "object" || file.system === null) {
    throw new BadProfile("the file is no diagnostic report");
  }
  const { system, ...rest } = file;
  return {
    location: "",
    message: "",
    nodeVersion: "",
    osVersion: "",
    loadTime: "",
    dumpTime: "",
    vmState: "",
    thread_id: 0,
    jsStacks: [],
    nativeStacks: [],
    heapStatistics: {},
    heapSpaceStatistics: [],
    libuvHandles: [],
    ...rest,
    pid: file.pid,
    environment: (system.env ?? []).map(variableOf).sort((a, b) => a.name.localeCompare(b.name)),
    limits: system.resourceLimits ?? [],
    libraries: system.loadedLibraries ?? [],
  };
}
