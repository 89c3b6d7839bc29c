/** Canned processes and runs of tools; a run that is started goes on by the clock and ends with a result. */

import type { Job, JobArtifact, JobState, NewJob, Page, Process, Tool, ToolState } from "../src/api/types";
import { cannedCalls, cannedProfile, HUGE_NODES } from "./profiles.ts";
import { SERVICES } from "./shop.ts";

const MANY = 10_000;
const HUGE_JOB = "huge";

const tool = (name: string, heavy: boolean, at_once: boolean, options: Tool["options"] = {}): Tool => ({
  name,
  heavy,
  at_once,
  options,
});

export const TOOLS: readonly Tool[] = [
  tool("cpu", true, false, {
    rate: { default: 100, doc: "Samples per second.", at_least: 1, at_most: 1000, choices: [] },
    clock: { default: "cpu", doc: "Count time on the CPU, or all time.", choices: ["cpu", "wall"] },
    idle: { default: false, doc: "Show threads that only wait, too.", choices: [] },
  }),
  tool("calls", true, false),
  tool("leaks", true, false),
  tool("stalls", false, false, {
    threshold_ms: { default: 50, doc: "A loop that is later than this stalls.", at_least: 1, at_most: 60_000 },
  }),
  tool("syscalls", false, false),
  tool("stacks", false, true),
  tool("heap", true, true),
];

const stateOf = ({ name, options }: Tool): ToolState => ({
  name,
  options,
  available: name !== "syscalls",
  why_not: name === "syscalls" ? "The probe may not attach to system calls here: the kernel refuses bpf()." : "",
  unlock: name === "syscalls" ? "setcap cap_bpf,cap_perfmon+ep /usr/bin/sonde-agent" : "",
  exact: name === "calls" ? "every call and its time" : "",
  approximate: name === "cpu" ? "a line is where the thread stood when it was asked, at most one line late" : "",
  running: false,
});

export function processes(scenario: string, now: number): Process[] {
  if (scenario === "empty") return [];
  const count = scenario === "many" ? MANY : 14;
  return Array.from({ length: count }, (_, index) => {
    const service = SERVICES[index % SERVICES.length] as (typeof SERVICES)[number];
    const host = ["web-1", "web-2", "db-primary.internal.example"][index % 3] as string;
    return {
      app: "shop",
      node: `id-${host}`,
      host,
      pid: 4100 + index,
      service: index === 5 ? "a-service-whose-name-is-much-longer-than-any-column-has-room-for" : service.name,
      instance: `${host}:${4100 + index}`,
      language: "python",
      command: `/srv/shop/.venv/bin/python -m gunicorn --workers 4 --bind 0.0.0.0:8000 ${service.name}.wsgi:application`,
      probe_version: "0.1.0",
      native: true,
      connected_at: new Date(now - (index + 1) * 733_000).toISOString(),
      node_connected: index % 3 !== 2,
      tools: null,
    };
  });
}

const started = new Map<string, Job>();

export function startJob(wish: NewJob, scenario: string, now: number): Job {
  const process = processes(scenario, now).find(({ pid }) => pid === wish.pid) as Process;
  const job: Job = {
    ...run(0, now),
    id: `started-${started.size + 1}`,
    pid: wish.pid,
    service: process.service,
    host: process.host,
    node: process.node,
    instance: process.instance,
    tool: wish.tool,
    seconds: wish.seconds,
    options: wish.options,
    created_at: new Date(now).toISOString(),
    started_at: new Date(now).toISOString(),
  };
  started.set(job.id, job);
  return jobAt(job, now);
}

export function cancelJob(id: string, now: number): Job | undefined {
  const job = started.get(id);
  if (!job) return undefined;
  job.seconds = Math.max(1, Math.floor((now - Date.parse(job.created_at)) / 1000));
  return jobAt(job, now);
}

/** A started job as far as it is by now. */
function jobAt(job: Job, now: number): Job {
  const seconds = Math.floor((now - Date.parse(job.created_at)) / 1000);
  if (seconds >= job.seconds) return ended(job, "done", now);
  const progress = { seconds, of: job.seconds, note: `${seconds * 97} samples of 4 threads` };
  return { ...job, state: "running", ended_at: null, document: null, artifacts: [], failure: null, progress };
}

const STATES: readonly JobState[] = ["done", "done", "failed", "done", "cancelled", "done"];

function run(index: number, now: number): Job {
  const service = SERVICES[index % SERVICES.length] as (typeof SERVICES)[number];
  const created = now - (index + 1) * 417_000;
  const name = (TOOLS[index % TOOLS.length] as Tool).name;
  const job: Job = {
    id: `run-${index}`,
    app: "shop",
    node: "id-web-1",
    host: "web-1",
    pid: 4100 + index,
    service: service.name,
    instance: `web-1:${4100 + index}`,
    tool: name,
    options: name === "cpu" ? { rate: 100, clock: "cpu", idle: false } : {},
    seconds: 10,
    state: "waiting",
    by: index % 3 ? "user:ada" : "user:admin",
    created_at: new Date(created).toISOString(),
    started_at: new Date(created + 300).toISOString(),
    ended_at: null,
    progress: null,
    failure: null,
    document: null,
    artifacts: [],
  };
  return ended(job, STATES[index % STATES.length] as JobState, created + 10_400);
}

function ended(job: Job, state: JobState, at: number): Job {
  const artifacts: JobArtifact[] =
    state === "done"
      ? [{ name: job.tool === "calls" ? "calls.json" : "profile.json", media_type: "application/json", bytes: 184_210 }]
      : [];
  return {
    ...job,
    state,
    ended_at: new Date(at).toISOString(),
    artifacts,
    failure:
      state === "failed"
        ? { reason: "not_allowed", message: "policy.toml of web-1 allows cpu, stacks; calls is not among them." }
        : null,
    document:
      state === "done"
        ? {
            format: "sonde.cpu.v1",
            tool: job.tool,
            pid: job.pid,
            service: job.service,
            instance: job.instance,
            python: "3.12.4",
            started_at: job.created_at,
            seconds: job.seconds,
            notes: ["Time in C functions is counted at the line that called them."],
            summary: {
              samples: 3880,
              threads: 4,
              period_ns: 10_000_000,
              cpu_ns: 8_212_000_000,
              own_cpu_ns: 71_000_000,
            },
          }
        : null,
  };
}

const RUNS = { admin: 64, many: MANY, slow: 20, empty: 0, broken: 0 } as const;

export function jobs(scenario: keyof typeof RUNS, query: URLSearchParams, now: number): Page<Job> {
  const wanted = ["service", "tool", "state", "node", "app", "instance"] as const;
  const all = [
    ...[...started.values()].toReversed().map((job) => jobAt(job, now)),
    ...Array.from({ length: RUNS[scenario] }, (_, index) => run(index, now)),
  ].filter((job) => wanted.every((key) => !query.get(key) || job[key] === query.get(key)));
  const start = Number(query.get("cursor") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const next = start + limit < all.length ? String(start + limit) : null;
  return { items: all.slice(start, start + limit), next };
}

export function oneJob(id: string, now: number): Job | undefined {
  const job = started.get(id);
  if (job) return jobAt(job, now);
  if (id === HUGE_JOB) return { ...run(0, now), id };
  return /^run-\d+$/.test(id) ? run(Number(id.slice(4)), now) : undefined;
}

export function artifact(id: string, name: string): unknown {
  if (id === HUGE_JOB) return cannedProfile(7, HUGE_NODES);
  const seed = id.length + id.charCodeAt(id.length - 1);
  return name === "calls.json" ? cannedCalls(seed) : cannedProfile(seed, 900);
}

export const asked = (process: Process): Process => ({ ...process, tools: TOOLS.map(stateOf) });
