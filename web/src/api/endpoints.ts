/** The only place that knows the addresses of the API. */

import { request } from "./http";
import type {
  App,
  HostNode,
  Live,
  NewApp,
  NodeReport,
  Page,
  RuntimeReport,
  Sampling,
  SamplingWish,
  Service,
  ServiceMap,
  ServiceReport,
  Session,
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
  service?: string;
  endpoint?: string;
  min_ms?: number;
  /** `true`: failed requests only. */
  error?: true;
  /** `key=value` */
  attribute?: string;
  order?: TraceOrder;
}

type Parameters = Record<string, string | number | boolean | undefined>;

/** `path` under the API's root with the parameters that are set. Path parts are encoded by the caller. */
export function addressOf(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return ROOT + path + (text ? `?${text}` : "");
}

async function everyPage<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T[]> {
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

  live: (signal?: AbortSignal) => request<Live>(addressOf("/live"), { signal }),

  nodes: (signal?: AbortSignal) => everyPage<HostNode>("/nodes", {}, signal),
  node: (host: string, between: Between, signal?: AbortSignal) =>
    request<NodeReport>(addressOf(`/nodes/${part(host)}`, { ...between }), { signal }),

  apps: (signal?: AbortSignal) => everyPage<App>("/apps", {}, signal),
  createApp: (name: string) => request<NewApp>(addressOf("/apps"), { method: "POST", body: { name } }),
};
