/** xprofiler's diagnostic report, as far as it can be shown: its environment holds secrets. */

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

const MASK = "••••••";
const SECRET_NAME =
  /SECRET|TOKEN|PASSW|PASSPHRASE|PWD$|_PW$|(^|_)PASS(_|$)|(API|ACCESS|PRIVATE|ENCRYPTION|SIGNING|MASTER|LICENSE)_?KEY|(^|_)KEYS?$|CREDENTIAL|AUTH|COOKIE|SESSION|SALT|SIGNATURE|(^|_)(DSN|PIN|OTP)(_|$)|WEBHOOK/i;
/** `scheme://user:password@host` */
const PASSWORD_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@]+@/gi;
/** Keys and tokens that are known by their shape: of PEM, JWT, and those that name their maker in front. */
const SECRET_VALUE =
  /-----BEGIN |\beyJ[\w-]+\.eyJ[\w-]+\.|\b(?:AKIA|ASIA|ghp_|gho_|github_pat_|glpat-|npm_|xox[abprs]-|sk-|sonde_)\w{8,}/;
/** Paths of sockets and folders that only sound like secrets. */
const PUBLIC = /^(PWD|OLDPWD|SSH_AUTH_SOCK|XDG_SESSION_\w+|DESKTOP_SESSION)$/;

/** `NAME=value` with what looks secret replaced. */
export function variableOf(text: string): Variable {
  const cut = text.indexOf("=");
  const name = cut < 0 ? text : text.slice(0, cut);
  const value = cut < 0 ? "" : text.slice(cut + 1);
  if (value !== "" && ((SECRET_NAME.test(name) && !PUBLIC.test(name)) || SECRET_VALUE.test(value))) {
    return { name, value: MASK, masked: true };
  }
  const safe = value.replace(PASSWORD_IN_URL, `$1:${MASK}@`);
  return { name, value: safe, masked: safe !== value };
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
