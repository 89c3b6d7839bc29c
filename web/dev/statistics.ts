/** Canned statistics, days, settings and names of the small shop. What is changed is not kept. */

import type {
  AppSettings,
  By,
  DayBlock,
  Measured,
  NameRule,
  Statistics,
  StatisticsDay,
  StatisticsHistogram,
  StatisticsRow,
  StatisticsTop,
} from "../src/api/statisticsTypes";
import { figuresOf } from "./figures.ts";
import { randomFrom, seedOf } from "./random.ts";
import { type CannedService, SERVICES } from "./shop.ts";
import { traceRow } from "./traces.ts";

const DAY_MS = 86_400_000;
const BLOCK_S = 180;
const BOUNDS_MS = [5, 10, 50, 100, 200, 500, 1000];

const iso = (time: number) => new Date(time).toISOString();

function measured(canned: CannedService, seconds: number, stretch = 1): Measured {
  const figures = figuresOf(canned, seconds, stretch);
  const { requests, errors, average_ms, p50_ms } = figures;
  const slow = Math.round((requests - errors) * 0.06);
  const very_slow = Math.round(slow / 4);
  return {
    ...figures,
    total_ms: requests * (average_ms ?? 0),
    error_average_ms: errors && average_ms !== null ? average_ms * 1.4 : null,
    min_ms: p50_ms === null ? null : p50_ms / 6,
    p90_ms: p50_ms === null ? null : p50_ms * 3,
    timeouts: Math.round(errors / 9),
    tiers: { normal: requests - errors - slow - very_slow, slow, very_slow, failed: errors, unknown: 0 },
  };
}

const NOBODY = {
  app: "shop",
  service: null,
  endpoint: null,
  kind: null,
  instance: null,
  host: null,
  status_code: null,
  peer: null,
  peer_type: null,
  system: null,
  address: null,
};

/** What tells the rows of a service apart, where they are not services. */
function namesOf(by: By, canned: CannedService): Partial<StatisticsRow>[] {
  const service = canned.name;
  switch (by) {
    case "service":
      return [{ service }];
    case "endpoint":
      return canned.endpoints.map((endpoint) => ({ service, endpoint, kind: "server" }));
    case "instance":
      return Array.from({ length: canned.instances }, (_, index) => ({ service, instance: `web-1:${4100 + index}` }));
    case "status":
      return [200, 404, 502].map((status_code) => ({ service, status_code }));
    case "kind":
      return [{ service, kind: "server" }];
    case "host":
      return [{ service, host: "web-1" }];
    case "caller":
    case "callee":
    case "peer":
      return [
        { service, peer: "stock", peer_type: "service", kind: "client", system: "" },
        { service, peer: "redis:6379", peer_type: "cache", kind: "client", system: "redis" },
      ];
    default:
      return ["10.0.0.7", "10.0.0.8", "2001:db8::1"].map((address) => ({ service, address }));
  }
}

function table(query: URLSearchParams, from: number, to: number, empty: boolean): Statistics {
  const by = (query.get("by") ?? "service") as By;
  const days = { yesterday: 1, last_week: 7 }[query.get("compare") ?? ""];
  const seconds = (to - from) / 1000;
  const wanted = SERVICES.filter(({ name, per_s }) => !empty && per_s && name === (query.get("service") ?? name));
  const all = wanted.flatMap((canned) => {
    const names = namesOf(by, canned);
    return names.map((name, index): StatisticsRow => {
      const share = { ...canned, per_s: (canned.per_s / names.length) * (1 + (names.length - 1 - 2 * index) * 0.1) };
      return {
        ...NOBODY,
        ...name,
        ...measured(share, seconds),
        status_codes: [],
        compared: days ? measured(share, seconds, 0.9) : null,
      };
    });
  });
  const order = query.get("order");
  all.sort((a, b) => (order === "p95" ? (b.p95_ms ?? 0) - (a.p95_ms ?? 0) : b.requests - a.requests));
  const items = all.slice(0, Number(query.get("limit") ?? 100));
  const shop = wholeOf(wanted);
  return {
    by,
    from: iso(from),
    to: iso(to),
    compared_from: days ? iso(from - days * DAY_MS) : null,
    compared_to: days ? iso(to - days * DAY_MS) : null,
    items,
    next: null,
    rows: all.length,
    rest: all.slice(items.length).reduce((sum, { requests }) => sum + requests, 0),
    whole: measured(shop, seconds),
    whole_compared: days ? measured(shop, seconds, 0.9) : null,
    too_old: 0,
    in_future: 0,
  };
}

/** Services as one. */
const wholeOf = (all: readonly CannedService[]): CannedService => ({
  name: "shop",
  language: "python",
  per_s: all.reduce((sum, { per_s }) => sum + per_s, 0),
  p50_ms: 18,
  failing: 0.008,
  instances: 1,
  endpoints: [],
});

function day(query: URLSearchParams, now: number, empty: boolean): StatisticsDay {
  const date = query.get("date") ?? iso(now).slice(0, 10);
  const from = Date.parse(`${date}T00:00Z`);
  const service = query.get("service");
  const canned = SERVICES.find(({ name }) => name === service) ?? wholeOf(SERVICES);
  const random = randomFrom(seedOf(`${canned.name} ${date}`));
  const blocks = Array.from({ length: DAY_MS / BLOCK_S / 1000 }, (_, index): DayBlock => {
    const time = from + index * BLOCK_S * 1000;
    const wave = 0.55 - 0.45 * Math.cos((index / 480) * 2 * Math.PI) + random() * 0.15;
    const silent = empty || time > now;
    const failing = random() > 0.94 ? 0.05 : 0;
    return {
      ...measured({ ...canned, per_s: silent ? 0 : canned.per_s * wave, failing }, BLOCK_S),
      time: iso(time),
      covered_s: Math.max(0, Math.min(BLOCK_S, (now - time) / 1000)),
      index,
      local: iso(time).slice(11, 16),
    };
  });
  return {
    app: "shop",
    date,
    time_zone: "UTC",
    from: iso(from),
    to: iso(from + DAY_MS),
    block_s: BLOCK_S,
    whole: measured(empty ? { ...canned, per_s: 0 } : canned, DAY_MS / 2000),
    blocks,
  };
}

function histogram(from: number, to: number, empty: boolean): StatisticsHistogram {
  const shares = [210, 640, 2900, 1740, 620, 240, 61, 12].map((requests) => (empty ? 0 : requests));
  const buckets = shares.map((requests, index) => ({
    above_ms: BOUNDS_MS[index - 1] ?? 0,
    up_to_ms: BOUNDS_MS[index] ?? null,
    requests,
    errors: Math.round(requests * index * 0.01),
  }));
  const requests = shares.reduce((sum, one) => sum + one, 0);
  return { from: iso(from), to: iso(to), requests, unknown: 0, buckets, fine: buckets };
}

function top(from: number, to: number, empty: boolean): StatisticsTop {
  const rows = Array.from({ length: empty ? 0 : 10 }, (_, index) => traceRow(index * 3, to, 30_000));
  return {
    from: iso(from),
    to: iso(to),
    slowest: rows.sort((a, b) => b.duration_ms - a.duration_ms),
    errors: rows.slice(0, 3).map(({ app, service, endpoint, kind, start_time, trace_id }, index) => ({
      app,
      service,
      endpoint: `${endpoint} ${index}`,
      kind,
      status_code: 502,
      errors: 40 - index * 13,
      last_seen: start_time,
      trace_id,
    })),
  };
}

const settings = (app: string): AppSettings => ({
  app,
  time_zone: "UTC",
  apdex_t_ms: 500,
  normal_ms: 100,
  slow_ms: 200,
  timeout_ms: 10_000,
  late_max_s: 2_592_000,
  exact_ms: [...BOUNDS_MS, 2000, 10_000],
  changed_at: iso(0),
  changed_by: "admin",
});

const names = (app: string): NameRule[] => {
  const rule = { app, service: "", pattern: "", name: "", target_app: null, changed_at: iso(0), changed_by: "admin" };
  return [
    { ...rule, id: "1", kind: "endpoint", pattern: "GET /orders/[0-9]+", name: "GET /orders/{id}" },
    { ...rule, id: "2", kind: "alias", service: "orders-v2", name: "orders" },
    { ...rule, id: "3", kind: "hide", service: "load-test" },
  ];
};

/** The body of an answer; undefined: it is not about statistics. */
export function statistics(path: string, query: URLSearchParams, now: number, empty: boolean): unknown {
  const from = Number(query.get("from") ?? now - 3600_000);
  const to = Number(query.get("to") ?? now);
  const [, app, what] = path.match(/^\/apps\/([^/]+)\/(settings|names)$/) ?? [];
  if (app) return what === "settings" ? settings(app) : { items: empty ? [] : names(app), next: null };
  switch (path) {
    case "/statistics":
      return table(query, from, to, empty);
    case "/statistics/day":
      return day(query, now, empty);
    case "/statistics/histogram":
      return histogram(from, to, empty);
    case "/statistics/top":
      return top(from, to, empty);
    default:
      return undefined;
  }
}
