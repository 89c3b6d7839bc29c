/** `sonde.stacks.v1`: threads and tasks at one moment, grouped and put in order for reading. Pure. */

/** Qualified name, file, line that runs. */
export type StackFrame = [name: string, file: string, line: number];

export interface StackSpan {
  trace_id: string;
  span_id: string;
  name: string;
  endpoint?: string;
}

export interface StackThread {
  tid: number;
  name: string;
  main: boolean;
  holds_gil: boolean;
  cpu_ns: number;
  /** As in /proc: R runs, S waits, D waits for a device; empty where nobody could tell. */
  state: string;
  syscall: string;
  wchan: string;
  span: StackSpan | null;
  /** The innermost first. */
  frames: StackFrame[];
  /** Of all frames, shown or not. */
  depth: number;
}

export interface StackTask {
  name: string;
  coroutine: string;
  current: boolean;
  state: "running" | "waiting" | "ready";
  waits_for: string;
  /** Names of tasks. */
  awaited_by: string[];
  span: StackSpan | null;
  frames: StackFrame[];
}

export interface StackLoop {
  name: string;
  tid: number;
  tasks: StackTask[];
}

export interface StacksFile {
  format: string;
  /** How they were read: `native` or `python`. */
  way: string;
  threads: StackThread[];
  loops: StackLoop[];
}

/** Threads that stand at the same place, shown as one. */
export interface ThreadGroup {
  key: string;
  threads: StackThread[];
  frames: StackFrame[];
  depth: number;
}

/** Who holds the GIL first, then the main thread, then who runs, then the largest groups. */
export function groupsOf(threads: readonly StackThread[]): ThreadGroup[] {
  const groups = new Map<string, ThreadGroup>();
  for (const thread of threads) {
    const alone = thread.main || thread.holds_gil || thread.span ? thread.tid : "";
    const key = JSON.stringify([alone, thread.state, thread.syscall, thread.frames]);
    const group = groups.get(key);
    if (group) group.threads.push(thread);
    else groups.set(key, { key, threads: [thread], frames: thread.frames, depth: thread.depth });
  }
  const rank = ({ threads: [first] }: ThreadGroup) =>
    first?.holds_gil ? 0 : first?.main ? 1 : first?.span ? 2 : first?.state === "R" ? 3 : 4;
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.threads.length - a.threads.length);
}

export interface TaskRow {
  task: StackTask;
  /** Below those that wait for it. */
  depth: number;
}

/** Tasks as a tree: nobody waits for a root, below each stand those that it waits for. */
export function awaitRows(tasks: readonly StackTask[]): TaskRow[] {
  const waitedFor = new Map<string, StackTask[]>();
  const names = new Set(tasks.map(({ name }) => name));
  const roots: StackTask[] = [];
  for (const task of tasks) {
    const awaiter = task.awaited_by.find((name) => names.has(name) && name !== task.name);
    if (awaiter === undefined) roots.push(task);
    else waitedFor.set(awaiter, [...(waitedFor.get(awaiter) ?? []), task]);
  }
  const rows: TaskRow[] = [];
  const seen = new Set<StackTask>();
  const below = (from: readonly StackTask[]) => {
    const open = from.map((task) => ({ task, depth: 0 })).reverse();
    for (let row = open.pop(); row; row = open.pop()) {
      if (seen.has(row.task)) continue;
      seen.add(row.task);
      rows.push(row);
      const { depth } = row;
      open.push(...(waitedFor.get(row.task.name) ?? []).map((task) => ({ task, depth: depth + 1 })).reverse());
    }
  };
  below(roots);
  // tasks that wait for each other have no root: each is one
  below(tasks.filter((task) => !seen.has(task)));
  return rows;
}

/** Whether every word is found in any of the texts. */
export function hasWords(words: string, texts: readonly string[], frames: readonly StackFrame[]): boolean {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return true;
  const text = [...texts, ...frames.map(([name, file, line]) => `${name} ${file}:${line}`)].join("\n").toLowerCase();
  return wanted.every((word) => text.includes(word));
}

/** To paste into a ticket. */
export function stacksText({ threads, loops }: Pick<StacksFile, "threads" | "loops">): string {
  const lines: string[] = [];
  const framesText = (frames: readonly StackFrame[]) => {
    for (const [name, file, line] of frames) lines.push(`    ${name} (${file}:${line})`);
    lines.push("");
  };
  for (const { tid, name, main, holds_gil, state, syscall, frames } of threads) {
    const facts = [main && "main", holds_gil && "holds the GIL", state, syscall && `in ${syscall}`].filter(Boolean);
    lines.push([`thread ${tid} ${name}`, ...facts].join(", "));
    framesText(frames);
  }
  for (const { name, tid, tasks } of loops) {
    lines.push(`loop ${name} of thread ${tid}, ${tasks.length} tasks`, "");
    for (const { task, depth } of awaitRows(tasks)) {
      const waits = task.waits_for && `waits for ${task.waits_for}`;
      lines.push([`${"  ".repeat(depth)}task ${task.name}`, task.state, waits].filter(Boolean).join(", "));
      framesText(task.frames);
    }
  }
  return lines.join("\n");
}
