/** The addresses of the API; those about Node.js processes stand in `nodejs.ts`. Nobody else knows any. */

import { request } from "./http";
import type {
  App,
  Arrival,
  ConnectHint,
  ConnectPorts,
  Job,
  JobState,
  Moments,
  NewApp,
  NewJob,
  Page,
  Process,
  RuntimeReport,
  Sampling,
  SamplingWish,
  Service,
  ServiceMap,
  ServiceReport,
  Session,
  Tool,
  Trace,
  TraceRow,
} from "./types";

const ROOT = "/api/v1";

/** A list longer than this many pages is cut: a console that shows more rows helps nobody. */
const MOST_PAGES = 20;

export interface Between {
  /** Epoch milliseconds. */
  from: number;
  to: number;
}

export type TraceOrder = "newest" | "slowest";

export interface TraceFilter {
  app?: string;
  service?: string;
  instance?: string;
  endpoint?: string;
  /** Whom spans talk to; with `any_span`. */
  peer?: string;
  /** A code, or a class such as `5xx`. */
  status?: string;
  min_ms?: number;
  max_ms?: number;
  /** `true`: failed requests only. */
  error?: true;
  /** Conditions such as `key=value`, all of them met; see domain/conditions. */
  attribute?: readonly string[];
  /** Also what requests do inside, and their outgoing calls. */
  any_span?: true;
  order?: TraceOrder;
}

export interface ProcessFilter {
  app?: string;
  node?: string;
  service?: string;
}

export interface JobFilter extends ProcessFilter {
  pid?: number;
  instance?: string;
  tool?: string;
  state?: JobState;
}

/** `stop` ends early and keeps the result, `abort` ends at once and keeps nothing. */
export type Cancel = "stop" | "abort";

export type ExportFormat = "pprof" | "collapsed" | "speedscope" | "json";

export type Parameters = Record<string, string | number | boolean | readonly string[] | undefined>;

/** `path` under the API's root with the parameters that are set. Path parts are encoded by the caller. */
export function addressOf(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) for (const one of value) query.append(name, one);
    else if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return ROOT + path + (text ? `?${text}` : "");
}

export async function everyPage<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await request<Page<T>>(addressOf(path, { ...parameters, cursor }), { signal });
    items.push(...answer.items);
    if (!answer.next) break;
    cursor = answer.next;
  }
  return items;
}

const part = encodeURIComponent;

const samplingAddress = (app: string, service: string) =>
  addressOf(`/apps/${part(app)}/services/${part(service)}/sampling`);

const jobAddress = (id: string) => `/jobs/${part(id)}`;

/** Server-sent events: the job at each change. */
export const jobStreamAddress = (id: string) => addressOf(`${jobAddress(id)}/stream`);

export const artifactAddress = (id: string, name: string) => addressOf(`${jobAddress(id)}/artifacts/${part(name)}`);

export const exportAddress = (id: string, format: ExportFormat) => addressOf(`${jobAddress(id)}/export`, { format });

const itemsOf = <T>({ items }: { items: T[] }): T[] => items;

export const api = {
  session: () => request<Session>(addressOf("/session")),
  logIn: (user: string, password: string) =>
    request<Session>(addressOf("/session"), { method: "POST", body: { user, password } }),
  logOut: () => request<void>(addressOf("/session"), { method: "DELETE" }),

  services: (between: Between, signal?: AbortSignal) => everyPage<Service>("/services", { ...between }, signal),
  service: (name: string, app: string | undefined, between: Between, signal?: AbortSignal) =>
    request<ServiceReport>(addressOf(`/services/${part(name)}`, { app, ...between }), { signal }),

  runtime: (service: string, between: Between, signal?: AbortSignal) =>
    request<RuntimeReport>(addressOf(`/runtime/${part(service)}`, { ...between }), { signal }),

  sampling: (app: string, service: string, signal?: AbortSignal) =>
    request<Sampling>(samplingAddress(app, service), { signal }),
  setSampling: (app: string, service: string, body: SamplingWish) =>
    request<Sampling>(samplingAddress(app, service), { method: "PUT", body }),
  resetSampling: (app: string, service: string) => request<void>(samplingAddress(app, service), { method: "DELETE" }),

  map: (between: Between, signal?: AbortSignal) => request<ServiceMap>(addressOf("/map", { ...between }), { signal }),

  traces: (filter: TraceFilter, between: Between, limit: number, cursor?: string, signal?: AbortSignal) =>
    request<Page<TraceRow>>(addressOf("/traces", { ...filter, ...between, limit, cursor }), { signal }),
  trace: (traceId: string, signal?: AbortSignal) => request<Trace>(addressOf(`/traces/${part(traceId)}`), { signal }),
  moments: (traceId: string, signal?: AbortSignal) =>
    request<Moments>(addressOf(`/traces/${part(traceId)}/moments`), { signal }),

  tools: (signal?: AbortSignal) => request<{ items: Tool[] }>(addressOf("/tools"), { signal }).then(itemsOf),
  processes: (filter: ProcessFilter, signal?: AbortSignal) => everyPage<Process>("/processes", { ...filter }, signal),
  askProcess: ({ app, node, pid }: Pick<Process, "app" | "node" | "pid">) =>
    request<{ items: Process[] }>(addressOf(`/processes/${part(app)}/${part(node)}/${pid}/tools`), {
      method: "POST",
    }).then(itemsOf),

  startJob: (job: NewJob) => request<Job>(addressOf("/jobs"), { method: "POST", body: job }),
  jobs: (filter: JobFilter, between: Partial<Between>, limit: number, cursor?: string, signal?: AbortSignal) =>
    request<Page<Job>>(addressOf("/jobs", { ...filter, ...between, limit, cursor }), { signal }),
  job: (id: string, signal?: AbortSignal) => request<Job>(addressOf(jobAddress(id)), { signal }),
  cancelJob: (id: string, how: Cancel) =>
    request<Job>(addressOf(`${jobAddress(id)}/cancel`), { method: "POST", body: { how } }),
  artifact: <T>(id: string, name: string, signal?: AbortSignal) => request<T>(artifactAddress(id, name), { signal }),

  apps: (signal?: AbortSignal) => everyPage<App>("/apps", {}, signal),
  newToken: (app: string) =>
    request<NewApp>(addressOf(`/apps/${encodeURIComponent(app)}/tokens`), { method: "POST", body: {} }),
  connectPorts: (signal?: AbortSignal) => request<ConnectPorts>(addressOf("/connect/ports"), { signal }),
  connectHints: (signal?: AbortSignal) => everyPage<ConnectHint>("/connect/hints", {}, signal),
  arrivals: (app: string, since: number, signal?: AbortSignal) =>
    everyPage<Arrival>("/connect/arrivals", { app, since }, signal),
  createApp: (name: string) => request<NewApp>(addressOf("/apps"), { method: "POST", body: { name } }),
};
