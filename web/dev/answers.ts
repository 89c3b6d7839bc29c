/**
 * The API answered from canned data, the same each time for the same moment. Who logs in chooses the scenario:
 * `admin` a small shop, `many` 10,000 services and 2,000 Node.js processes, `empty` nothing at all, `broken` a server that fails, `slow` one that takes 3 s.
 */

import type { Token } from "../src/api/tokens";
import type {
  ErrorGroup,
  MapEdge,
  MapNode,
  Neighbour,
  NewApp,
  OtherEnd,
  Page,
  Service,
  ServiceMap,
  ServiceReport,
  Session,
  TraceRow,
} from "../src/api/types";
import { alarms } from "./alarms.ts";
import { figuresOf, seriesOf } from "./figures.ts";
import { hostReport, hosts, processHistory, top } from "./hosts.ts";
import { largeMap, mapHistory } from "./largeMap.ts";
import { nodejs } from "./nodejs.ts";
import { runtime } from "./runtime.ts";
import { CALLS, type CannedService, PEERS, SERVICES } from "./shop.ts";
import { deploys, errorPage, errorReport, findings, slowPage, slowReport } from "./slow.ts";
import { statistics } from "./statistics.ts";
import { artifact, jobs, oneJob, processes, TOOLS } from "./tools.ts";
import { ATTRIBUTE_KEYS, attributeValues, comparison, trace, traceRow } from "./traces.ts";

export const SCENARIOS = ["admin", "many", "empty", "broken", "slow"] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Answer {
  status: number;
  body: unknown;
}

const ok = (body: unknown): Answer => ({ status: 200, body });
const refused = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message } },
});

const MANY = 10_000;
const TRACES = { admin: 1240, many: 10_000, slow: 40, empty: 0, broken: 0 } as const;

export function answer(scenario: Scenario, path: string, query: URLSearchParams, now: number): Answer {
  if (scenario === "broken")
    return refused(503, "store_unavailable", "The store does not answer. Look at `sonde up`'s output.");
  const from = Number(query.get("from") ?? now - 3600_000);
  const to = Number(query.get("to") ?? now);
  const [, run, file] = path.match(/^\/jobs\/([^/]+)\/(?:artifacts\/(\w+\.json)|export)$/) ?? [];
  if (run) return ok(artifact(run, file ?? ""));
  if (/^\/alarms(\/|$)/.test(path)) {
    const said = alarms(path, query, now, scenario === "empty");
    return said === undefined ? refused(404, "not_found", `There is nothing at ${path}.`) : ok(said);
  }
  const aboutNodejs = nodejs(scenario, path, query, now);
  if (aboutNodejs) return aboutNodejs;
  const aboutStatistics = statistics(path, query, now, scenario === "empty");
  if (aboutStatistics) return ok(aboutStatistics);
  if (path === "/traces/attributes/values") return ok({ items: attributeValues(query), next: null });
  const [, first, second] = path.match(/^\/traces\/([0-9a-f]{32})\/compare\/([0-9a-f]{32})$/) ?? [];
  if (first && second) return ok(comparison(trace(first, now), trace(second, now)));
  const [, found] = path.match(/^\/traces\/(\w+)\/findings$/) ?? [];
  if (found) return ok(findings(found));
  const [, list, name] = path.match(/^\/(\w+)(?:\/([^/]+))?$/) ?? [];
  const one = name && decodeURIComponent(name);
  const [, about, , pid] = path.match(/^\/nodes\/([^/]+)\/top(\/(\d+))?$/) ?? [];
  if (about && pid) {
    return ok(processHistory(decodeURIComponent(about), Number(pid), Number(query.get("started")), from, to));
  }
  if (about) return ok(top(decodeURIComponent(about), from, to, Number(query.get("at")) || null));
  switch (list) {
    case "services":
      return one ? service(one, from, to) : services(scenario, query, from, to);
    case "runtime":
      return one && scenario !== "empty" ? ok(runtime(one, from, to)) : refused(404, "not_found", "Nothing reported.");
    case "slow": {
      if (!one) return ok(slowPage(query, from, to, scenario === "empty"));
      const report = slowReport(one, from, to);
      return report ? ok(report) : refused(404, "not_found", "There is no such call in this time.");
    }
    case "errors": {
      if (!one) return ok(errorPage(query, from, to, scenario === "empty"));
      const report = errorReport(one, from, to);
      return report ? ok(report) : refused(404, "not_found", "There is no such error in this time.");
    }
    case "deploys":
      return ok({ items: deploys(query.get("service"), from, to), next: null });
    case "map":
      return ok(one === "history" ? mapHistory(scenario, from, to) : map(scenario, from, to));
    case "traces":
      if (one === "attributes") return ok({ items: scenario === "empty" ? [] : ATTRIBUTE_KEYS, next: null });
      return one ? oneTrace(one, now) : traces(scenario, query, from, to);
    case "nodes": {
      const all = scenario === "empty" ? [] : hosts(now);
      if (!one) return ok({ items: all, next: null });
      const host = all.find((candidate) => candidate.host === one);
      return host ? ok(hostReport(host, from, to)) : refused(404, "not_found", `There is no host ${one}.`);
    }
    case "apps":
      return ok({ items: [{ id: "shop", name: "shop", created_at: new Date(0).toISOString() }], next: null });
    case "tokens":
      return ok({ items: scenario === "empty" ? [] : TOKENS, next: null });
    case "tools":
      return ok({ items: TOOLS });
    case "processes":
      return ok({ items: processes(scenario, now), next: null });
    case "jobs": {
      if (!one) return ok(jobs(scenario, query, now));
      const job = oneJob(one, now);
      return job ? ok(job) : refused(404, "not_found", `There is no run ${one}.`);
    }
    default:
      return refused(404, "not_found", `There is nothing at ${path}.`);
  }
}

const TOKENS: readonly Token[] = [
  { id: "t1", name: "grafana", scope: "read", apps: ["shop"], created_at: "2026-10-02T08:00:00Z" },
  { id: "t2", name: "deploy script", scope: "write", apps: null, created_at: "2026-11-12T15:30:00Z" },
];

export const sessionOf = (scenario: Scenario): Session => ({ user: scenario, role: "owner", csrf: "canned" });

export function newApp(name: string, now: number): NewApp {
  const created_at = new Date(now).toISOString();
  return { id: "app-1", name, created_at, secret: "canned-secret", token: "sonde_app_canned_token_5f1e" };
}

function serviceRow(canned: CannedService, from: number, to: number, now = to): Service {
  return {
    ...figuresOf(canned, (to - from) / 1000),
    app: "shop",
    service: canned.name,
    language: canned.language,
    instances: canned.instances,
    last_seen: new Date(now - (canned.per_s ? 900 : 3 * 3600_000)).toISOString(),
    series: seriesOf(canned, from, to, 30),
  };
}

function services(scenario: Scenario, query: URLSearchParams, from: number, to: number): Answer {
  if (scenario === "empty") return ok({ items: [], next: null });
  if (scenario !== "many") return ok({ items: SERVICES.map((canned) => serviceRow(canned, from, to)), next: null });
  const start = Number(query.get("cursor") ?? 0);
  const items: Service[] = [];
  for (let index = start; index < Math.min(MANY, start + 1000); index++) {
    const canned = SERVICES[index % SERVICES.length] as CannedService;
    items.push(serviceRow({ ...canned, name: `${canned.name}-${index}` }, from, to));
  }
  return ok({ items, next: start + 1000 < MANY ? String(start + 1000) : null } satisfies Page<Service>);
}

function neighbour(name: string, call: (typeof CALLS)[number], seconds: number): Neighbour {
  const peer = PEERS.find((candidate) => candidate.name === name);
  const requests = Math.round(call.per_s * seconds);
  return {
    name,
    type: peer?.type ?? "service",
    system: peer?.system ?? "",
    requests,
    errors: Math.round(requests * call.failing),
    average_ms: call.p95_ms / 2.6,
    p95_ms: call.p95_ms,
  };
}

function service(name: string, from: number, to: number): Answer {
  const canned = SERVICES.find((candidate) => name === candidate.name || name.startsWith(`${candidate.name}-`));
  if (!canned) return refused(404, "not_found", `There is no service ${name}.`);
  const seconds = (to - from) / 1000;
  const figures = figuresOf(canned, seconds);
  const share = (index: number) => 1 / 2 ** (index + 1);
  const errors: ErrorGroup[] = figures.errors
    ? [
        {
          type: "requests.exceptions.HTTPError",
          message: "502 Server Error: Bad Gateway for url: http://payments-gateway:8300/v2/charge",
          endpoint: canned.endpoints[0] ?? "",
          count: Math.ceil(figures.errors * 0.8),
          last_seen: new Date(to - 9000).toISOString(),
          trace_id: traceRow(3, to, 1000).trace_id,
        },
        {
          type: "sqlite3.OperationalError",
          message: "database is locked",
          endpoint: canned.endpoints[1] ?? canned.endpoints[0] ?? "",
          count: Math.floor(figures.errors * 0.2),
          last_seen: new Date(to - 140_000).toISOString(),
          trace_id: traceRow(8, to, 1000).trace_id,
        },
      ]
    : [];
  const report: ServiceReport = {
    app: "shop",
    service: name,
    language: canned.language,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step_s: seconds / 120,
    figures,
    yesterday: figuresOf({ ...canned, failing: canned.failing * 0.7 }, seconds, 0.94),
    last_week: canned.per_s > 10 ? figuresOf({ ...canned, failing: canned.failing * 1.6 }, seconds, 1.22) : null,
    series: seriesOf(canned, from, to, 120),
    endpoints: canned.endpoints.map((endpoint, index) => ({
      ...figuresOf(
        { ...canned, per_s: canned.per_s * share(index), failing: index === 0 ? canned.failing * 2 : 0 },
        seconds,
        1 + index * 0.3,
      ),
      endpoint,
      kind: endpoint.includes(" ") ? "server" : "consumer",
    })),
    instances: Array.from({ length: canned.per_s ? canned.instances : 0 }, (_, index) => ({
      ...figuresOf({ ...canned, per_s: canned.per_s / canned.instances }, seconds, 1 + index * 0.06),
      instance: `web-1:${4100 + index}`,
      last_seen: new Date(to - 800).toISOString(),
    })),
    callers: CALLS.filter((call) => call.to === canned.name).map((call) => neighbour(call.from, call, seconds)),
    callees: CALLS.filter((call) => call.from === canned.name).map((call) => neighbour(call.to, call, seconds)),
    status_codes: figures.requests
      ? [
          { code: 200, requests: Math.round(figures.requests * 0.81) },
          { code: 201, requests: Math.round(figures.requests * 0.14) },
          { code: 404, requests: Math.round(figures.requests * 0.02) },
          { code: 502, requests: figures.errors },
        ].filter(({ requests }) => requests > 0)
      : [],
    errors,
  };
  return ok(report);
}

function map(scenario: Scenario, from: number, to: number): ServiceMap {
  const seconds = (to - from) / 1000;
  const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  if (scenario === "empty") return { ...range, nodes: [], edges: [] };
  if (scenario === "many") return { ...range, ...largeMap(500, seconds) };
  const edges = CALLS.map((call) => {
    const { name: _name, type, system: _system, ...figures } = neighbour(call.to, call, seconds);
    const is_message = type === "messaging" || call.from === "mail";
    return {
      ...figures,
      source: call.from,
      target: call.to,
      is_message,
      known_by: type === "service" && call.from !== "clients" && !is_message ? ("traces" as const) : ("" as const),
      other_end: otherEnd(call, figures, type === "service" && call.from !== "clients"),
    };
  });
  const used = [...new Set(CALLS.flatMap((call) => [call.from, call.to]))];
  const nodes = used.map<MapNode>((name) => {
    const into = CALLS.filter((call) => call.to === name);
    const requests = Math.round(into.reduce((sum, call) => sum + call.per_s, 0) * seconds);
    const peer = PEERS.find((candidate) => candidate.name === name);
    return {
      id: name,
      name,
      type: peer?.type ?? "service",
      system: peer?.system ?? "",
      requests,
      errors: Math.round(into.reduce((sum, call) => sum + call.per_s * call.failing, 0) * seconds),
      average_ms: into[0] ? into[0].p95_ms / 2.6 : null,
      p95_ms: into[0]?.p95_ms ?? null,
    };
  });
  return { ...range, nodes, edges };
}

/** `stock` is called over a slow network. */
function otherEnd(
  call: (typeof CALLS)[number],
  { requests, errors, average_ms }: Pick<MapEdge, "requests" | "errors" | "average_ms">,
  known: boolean,
): OtherEnd | null {
  if (!known || average_ms === null) return null;
  const share = call.to === "stock" ? 0.46 : 0.07;
  const average = average_ms * (1 - share);
  const waiting =
    call.from === "mail"
      ? { waiting_ms: 840, waiting_share: null }
      : { waiting_ms: average_ms * share, waiting_share: share };
  return { requests, errors, average_ms: average, p95_ms: call.p95_ms * (1 - share), ...waiting };
}

function traces(scenario: Scenario, query: URLSearchParams, from: number, to: number): Answer {
  const count = TRACES[scenario];
  const attributes = query.getAll("attribute");
  let rows = Array.from({ length: count }, (_, index) => traceRow(index, to, (to - from) / Math.max(1, count)));
  const wanted = (row: TraceRow) =>
    (!query.get("service") || row.service === query.get("service")) &&
    (!query.get("endpoint") || row.endpoint === query.get("endpoint")) &&
    row.duration_ms >= Number(query.get("min_ms") ?? 0) &&
    (query.get("error") !== "true" || row.error) &&
    row.duration_ms <= Number(query.get("max_ms") ?? Number.POSITIVE_INFINITY) &&
    attributes.every((attribute) => attribute.startsWith("user."));
  rows = rows.filter(wanted);
  if (query.get("order") === "slowest") rows.sort((a, b) => b.duration_ms - a.duration_ms);
  const start = Number(query.get("cursor") ?? 0);
  const limit = Number(query.get("limit") ?? 100);
  const next = start + limit < rows.length ? String(start + limit) : null;
  return ok({ items: rows.slice(start, start + limit), next } satisfies Page<TraceRow>);
}

function oneTrace(traceId: string, now: number): Answer {
  if (traceId === "0".repeat(32)) return refused(404, "not_found", `There is no trace ${traceId}.`);
  return ok(trace(traceId, now));
}
