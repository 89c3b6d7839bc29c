/** Canned Node.js processes and files: of the user `many` 2,000 processes. The viewers' files are made by a real Node. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type {
  NodejsConfig,
  NodejsFile,
  NodejsFileKind,
  NodejsInstance,
  NodejsLoggedError,
  NodejsPackage,
  NodejsProcess,
  NodejsProcessStatus,
  NodejsSystem,
  NodejsTrend,
} from "../src/api/nodejsTypes";
import type { Answer, Scenario } from "./answers.ts";
import { MADE_BY_NODE, type MadeKind } from "./nodejsFiles.ts";
import { randomFrom, seedOf } from "./random.ts";

const MIB = 2 ** 20;
const APP = "shop";
const PER_AGENT = 8;
const PROCESSES = { admin: 9, slow: 3, many: 2000, empty: 0, broken: 0 } as const;
const COMMANDS = [
  "node server.js",
  "node --max-old-space-size=4096 /srv/checkout/node_modules/.bin/next start --port 3000 --hostname 0.0.0.0 --keepAliveTimeout 70000",
  "node dist/worker.mjs --queue=mails",
];

const ok = (body: unknown): Answer => ({ status: 200, body });
const page = (items: unknown[]): Answer => ok({ items, next: null });
const iso = (time: number) => new Date(time).toISOString();
const agentOf = (index: number) =>
  index === 1 ? "checkout-7d9f8c6b5-x2k4q.production-eu-central-1.svc.cluster.local:web" : `web-${index}`;

function instances(scenario: Scenario, now: number): NodejsInstance[] {
  return Array.from({ length: Math.ceil(PROCESSES[scenario] / PER_AGENT) }, (_, index) => ({
    app: APP,
    agent: agentOf(index),
    connected: index % 17 !== 3,
    last_seen: iso(now - 20_000),
    connected_at: iso(now - 9 * 3600_000),
    agent_version: "3.1.0",
    clock_offset_ms: index === 1 ? 95_000 : 12,
  }));
}

function process(index: number, now: number): NodejsProcess {
  const agent = agentOf(Math.floor(index / PER_AGENT));
  const random = randomFrom(seedOf(`${agent} ${index}`));
  const heap_limit_bytes = 2096 * MIB;
  const heap_used_bytes = heap_limit_bytes * random() ** 2;
  const isReporting = index % 9 !== 8;
  const told = (value: number) => (isReporting ? value : null);
  return {
    app: APP,
    agent,
    pid: 4100 + index,
    instance: `${agent}:${4100 + index}`,
    command: COMMANDS[index % COMMANDS.length] as string,
    reports: isReporting,
    alive: index % 7 !== 5,
    started_at: isReporting ? iso(now - 5 * 3600_000 * random()) : null,
    last_seen: isReporting ? iso(now - 30_000) : null,
    threads: index % 4 === 0 ? [0, 1, 2] : [0],
    cpu_percent: told(120 * random() ** 3),
    cpu_60_percent: told(100 * random() ** 3),
    rss_bytes: told(heap_used_bytes * 1.4 + 60 * MIB),
    heap_used_bytes: told(heap_used_bytes),
    heap_total_bytes: told(heap_used_bytes * 1.2),
    heap_limit_bytes: told(heap_limit_bytes),
    gc_percent: told(18 * random() ** 4),
    active_handles: told(Math.round(random() * 900)),
    requests_per_s: told(300 * random()),
    response_average_ms: told(40 * random()),
  };
}

const processes = (scenario: Scenario, now: number) =>
  Array.from({ length: PROCESSES[scenario] }, (_, index) => process(index, now));

function trend(pid: number, metrics: readonly string[], from: number, to: number): NodejsTrend {
  const step = (to - from) / 120;
  const names = metrics.flatMap((metric) => (metric === "res__*" ? ["res__200", "res__404", "res__502"] : [metric]));
  const scale = (metric: string) =>
    /cpu/.test(metric) ? 40 : /space|rss|heap|external/.test(metric) ? 80 * MIB : /handles/.test(metric) ? 60 : 300;
  return {
    pid,
    from: iso(from),
    to: iso(to),
    step_s: step / 1000,
    series: [0, 1].flatMap((thread) =>
      names
        .filter((metric) => thread === 0 || !metric.startsWith("cpu"))
        .map((metric) => ({
          metric,
          thread,
          points: Array.from({ length: 120 }, (_, at) => {
            const time = from + at * step;
            const random = randomFrom(seedOf(metric) ^ Math.floor(time / step));
            const wave = 1 + 0.5 * Math.sin(time / 300_000 + seedOf(metric));
            const value = metric === "total_gc_times" ? time / 5000 : scale(metric) * wave * (0.8 + random() * 0.3);
            return { time: iso(time), value: at > 50 && at < 62 ? null : value };
          }),
        })),
    ),
  };
}

function system(agent: string, from: number, to: number): NodejsSystem {
  const step = (to - from) / 60;
  const series = Array.from({ length: 60 }, (_, at) => {
    const time = from + at * step;
    const wave = 1 + 0.4 * Math.sin(time / 400_000);
    return {
      time: iso(time),
      cpu_utilization: 0.4 * wave,
      memory_used_bytes: 5000 * MIB * wave,
      memory_total_bytes: 16_000 * MIB,
      load_1m: 2 * wave,
      load_5m: 1.9,
      load_15m: 1.7,
      node_processes: 9,
      disks: { "/": 0.61, "/var/lib/containers/storage/overlay": 0.34 },
      requests: 9000 * wave,
      requests_expired: 3,
      response_average_ms: 12 * wave,
      gc_ms: 400 * wave,
      scavenge_ms: 300 * wave,
      marksweep_ms: 100,
    };
  });
  return {
    app: APP,
    agent,
    from: iso(from),
    to: iso(to),
    step_s: step / 1000,
    latest: series.at(-1) ?? null,
    cpus: 4,
    series,
  };
}

const KINDS: readonly NodejsFileKind[] = ["cpuprofile", "heapprofile", "gcprofile", "heapsnapshot", "diag", "core"];
const STATES = ["stored", "stored", "stored", "stored", "stored", "on_agent", "transferring", "failed"] as const;

function file(id: number, now: number): NodejsFile {
  const kind = KINDS[(id - 1) % KINDS.length] as NodejsFileKind;
  const isRecording = id === 37;
  const state = isRecording ? "creating" : (STATES[Math.floor((id - 1) / KINDS.length) % STATES.length] ?? "stored");
  const name = `x-${kind}-4100-20251120-${id}.${kind}`;
  return {
    id,
    app: APP,
    agent: agentOf(id % 2),
    pid: 4100 + (id % 8),
    kind,
    path: `/tmp/${name}`,
    executable_path: "",
    state,
    message: state === "failed" ? "process 4104 not enable xprofiler" : "",
    running: isRecording,
    duration_s: id % 6 < 4 ? 60 : 0,
    created_at: iso(now - (isRecording ? 22_000 : id * 600_000)),
    ends_at: isRecording ? iso(now + 38_000) : null,
    created_by: "user:admin",
    favourite: id % 5 === 0,
    note:
      id % 6 === 2 ? "before the change of the cache, see the incident of Thursday; compare with the one after it" : "",
    parts: state === "stored" ? [{ name, bytes: 812_345, plain_bytes: 5_600_000 }] : [],
    stored_at: state === "stored" ? iso(now - id * 600_000 + 90_000) : null,
  };
}

const FILES = 37;

function packages(agent: string, now: number): NodejsPackage {
  const names = ["express", "@opentelemetry/semantic-conventions-incubating", "ioredis", "typescript"];
  return {
    app: APP,
    agent,
    file: "/srv/checkout/releases/2025-11-20T10-11-12Z/packages/services/checkout/package.json",
    name: "checkout",
    version: "4.2.0",
    lock_version: 3,
    dependencies: names.map((name, at) => ({
      name,
      wanted: `^${at + 1}.0.0`,
      locked: at === 2 ? "" : `${at + 1}.4.2`,
      kind: at === 3 ? "dev" : "dependency",
    })),
    locked_count: 900,
    locked: Array.from({ length: 900 }, (_, at) => ({
      name: `package-${at}`,
      version: `1.${at}.0`,
      path: `node_modules/package-${at}`,
    })),
    problem: "",
    received_at: iso(now - 1_800_000),
  };
}

const errors = (to: number): NodejsLoggedError[] =>
  Array.from({ length: 40 }, (_, at) => ({
    time: iso(to - at * 21_000),
    file: "/srv/checkout/logs/common-error.log",
    type: at % 3 === 0 ? "UnhandledPromiseRejectionWarningError" : "TypeError",
    message: "Cannot read properties of undefined (reading 'price')",
    stack: `TypeError: Cannot read properties of undefined (reading 'price')\n    at price (/srv/checkout/dist/orders.js:${at}:7)`,
    extra: "pid: 4100\nhost: web-0",
  }));

const CONFIG: NodejsConfig = {
  pid: 4100,
  config: {
    enable_http_profiling: true,
    enable_log_uv_handles: false,
    log_level: 1,
    log_dir: "/srv/checkout/logs/xprofiler",
  },
  changeable: ["enable_http_profiling", "enable_log_uv_handles", "log_level"],
};

const STATUS: Omit<NodejsProcessStatus, "pid"> = {
  node_version: "v20.20.2",
  xprofiler_installed: false,
  xprofiler_enabled: false,
  xprofiler_version: "",
  xprofiler_log_dir: "",
  agent_log_dir: "/tmp",
  config: {},
};

/** null: the address is not one of these. */
export function nodejs(scenario: Scenario, path: string, query: URLSearchParams, now: number): Answer | null {
  if (!path.startsWith("/nodejs/")) return null;
  const from = Number(query.get("from") ?? now - 900_000);
  const to = Number(query.get("to") ?? now);
  if (path === "/nodejs/instances") return page(instances(scenario, now));
  if (path === "/nodejs/processes") return page(processes(scenario, now).filter(({ reports }) => reports));
  if (path === "/nodejs/files") {
    const kind = query.get("kind");
    const all = scenario === "empty" ? [] : Array.from({ length: FILES }, (_, at) => file(FILES - at, now));
    return page(
      all.filter(
        (one) =>
          (!kind || one.kind === kind) &&
          (!query.get("pid") || one.pid === Number(query.get("pid"))) &&
          (query.get("favourite") !== "true" || one.favourite),
      ),
    );
  }
  const [, id, content] = path.match(/^\/nodejs\/files\/(\d+)(\/content)?$/) ?? [];
  if (id && Number(id) <= FILES) return content ? ok(contentOf(file(Number(id), now).kind)) : ok(file(Number(id), now));
  const [, , agent = "", rest = ""] = path.match(/^\/nodejs\/instances\/([^/]+)\/([^/]+)\/(.+)$/) ?? [];
  return ofInstance(scenario, decodeURIComponent(agent), rest, query, { from, to, now });
}

interface Times {
  from: number;
  to: number;
  now: number;
}

function ofInstance(
  scenario: Scenario,
  agent: string,
  rest: string,
  query: URLSearchParams,
  { from, to, now }: Times,
): Answer {
  const [, pid] = rest.match(/^processes\/(\d+)\//) ?? [];
  if (rest === "processes") return page(processes(scenario, now).filter((one) => one.agent === agent));
  if (pid && rest.endsWith("/trend")) return ok(trend(Number(pid), query.getAll("metric"), from, to));
  if (pid && rest.endsWith("/config")) return ok(CONFIG);
  if (pid && rest.endsWith("/status")) return ok({ ...STATUS, pid: Number(pid) });
  if (pid && rest.endsWith("/actions")) return { status: 201, body: file(FILES, now) };
  switch (rest) {
    case "system":
      return ok(system(agent, from, to));
    case "os":
      return ok({
        node_version: "20.20.2",
        agent_version: "3.1.0",
        core_limit: "0",
        os: `Linux/${agent}/linux/x64/6.1.0`,
      });
    case "errors":
      return page([{ file: "/srv/checkout/logs/common-error.log", errors: 40, last_seen: iso(to) }]);
    case "errors/logs":
      return page(errors(to));
    case "packages":
      return page([{ ...packages(agent, now), locked: null }]);
    case "packages/detail":
      return ok(packages(agent, now));
    case "cores":
      return page([]);
    default:
      return { status: 404, body: { error: { code: "not_found", message: `There is nothing at ${rest}.` } } };
  }
}

const made = new Map<NodejsFileKind, unknown>();

/** Made when first asked for, by a Node of its own. */
function contentOf(kind: NodejsFileKind): unknown {
  if (!made.has(kind)) {
    if (kind in MADE_BY_NODE) made.set(kind, madeByNode(kind as MadeKind));
    else made.set(kind, kind === "gcprofile" ? gcTrace() : {});
  }
  return made.get(kind);
}

function madeByNode(kind: MadeKind): unknown {
  const folder = mkdtempSync(join(tmpdir(), "sonde-fixture-"));
  try {
    const program = join(folder, "app.js");
    writeFileSync(program, MADE_BY_NODE[kind]);
    execFileSync("node", [program, join(folder, "made")]);
    return JSON.parse(readFileSync(join(folder, "made"), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function gcTrace(): unknown {
  const spaces = (young: number, old: number) => [
    { name: "new_space", space_size: 16 * MIB, space_used_size: young },
    { name: "old_space", space_size: 64 * MIB, space_used_size: old },
    { name: "large_object_space", space_size: MIB, space_used_size: MIB / 2 },
  ];
  const random = randomFrom(5);
  return {
    startTime: 4000,
    stopTime: 4060,
    gc: Array.from({ length: 80 }, (_, at) => {
      const isFull = at % 16 === 15;
      const old = (20 + (at % 16) * 2) * MIB;
      const start = at * 740 + random() * 200;
      return {
        type: isFull ? "marksweep" : at % 16 === 13 ? "marking" : "scavenge",
        start,
        end: start + (isFull ? 38 : 2) * (0.6 + random()),
        before: spaces((9 + random() * 6) * MIB, old),
        after: spaces(random() * MIB, isFull ? 20 * MIB : old + MIB),
      };
    }),
  };
}
