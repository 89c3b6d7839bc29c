/** Canned slow calls, errors and deploys of the small shop. */

import type { DeployMark, ErrorPage, ErrorReport, ErrorRow } from "../src/api/errorsTypes";
import type { CallKind, Finding, Findings, SlowGroup, SlowPage, SlowReport } from "../src/api/slowTypes";
import { randomFrom, seedOf } from "./random.ts";
import { traceRow } from "./traces.ts";

const STEPS = 60;
const STATEMENTS: [CallKind, string, string, string[], number, number][] = [
  ["sql", "sqlite", "SELECT id, price, currency FROM products WHERE id IN (?)", ["orders", "stock"], 18_400, 1.9],
  [
    "sql",
    "sqlite",
    "INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES (?)",
    ["orders"],
    9200,
    4.4,
  ],
  ["sql", "postgresql", longStatement(), ["reports"], 41, 2140],
  ["sql", "sqlite", "UPDATE stock SET reserved = reserved + ? WHERE product_id = ?", ["stock"], 5210, 2.7],
  ["sql", "sqlite", "BEGIN", ["orders", "stock"], 14_000, 0.4],
  ["cache", "redis", "GET redis:6379", ["front", "stock"], 88_000, 0.7],
  ["cache", "redis", "EVALSHA ?", ["stock"], 5100, 3.9],
  ["http", "", "POST payments-gateway:8300/v2/charge", ["orders"], 2300, 187],
  ["http", "", "GET stock:8200/reserve/{id}", ["front"], 9100, 12.8],
  ["rpc", "grpc", "shop.Mail/Send mail:9000", ["orders"], 640, 8.1],
  ["mq", "kafka", "kafka send mail", ["orders"], 2200, 1.4],
];

function longStatement(): string {
  return `SELECT ${Array.from({ length: 24 }, (_, index) => `o.column_number_${index}`).join(", ")} FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.created_at > ? GROUP BY c.region ORDER BY o.total DESC LIMIT ?`;
}

const iso = (time: number) => new Date(time).toISOString();

function groupsOf(from: number, to: number): SlowGroup[] {
  const all = STATEMENTS.map(([kind, system, text, services, calls, average_ms], index): SlowGroup => {
    const example = traceRow(index * 3, to, 900);
    const total_ms = calls * average_ms;
    return {
      id: `${kind}-${(seedOf(text) >>> 0).toString(16).padStart(16, "0")}`,
      kind,
      system,
      text,
      text_is_cut: false,
      peers: [kind === "sql" ? "orders.db" : "redis:6379"],
      more_peers: 0,
      services: services.map((service, place) => ({
        app: "shop",
        service,
        calls: Math.round(calls / (place + 1.5)),
        total_ms: total_ms / (place + 1.5),
      })),
      first_seen: iso(from + 4000),
      last_seen: iso(to - 900),
      trace_id: example.trace_id,
      span_id: example.span_id,
      calls,
      errors: index % 4 === 1 ? Math.round(calls / 300) : 0,
      total_ms,
      average_ms,
      p95_ms: average_ms * 2.9,
      max_ms: average_ms * 11,
      share: 0,
    };
  });
  for (const group of all) {
    const alike = all.filter(({ kind }) => kind === group.kind);
    group.share = group.total_ms / alike.reduce((sum, { total_ms }) => sum + total_ms, 0);
  }
  return all;
}

const KINDS: Record<string, readonly CallKind[]> = {
  sql: ["sql"],
  cache: ["cache"],
  http: ["http"],
  rpc: ["rpc"],
  outgoing: ["http", "rpc"],
  mq: ["mq"],
};
const ORDERS: Record<string, (group: SlowGroup) => number> = {
  total: ({ total_ms }) => total_ms,
  p95: ({ p95_ms }) => p95_ms,
  max: ({ max_ms }) => max_ms,
  count: ({ calls }) => calls,
};

export function slowPage(query: URLSearchParams, from: number, to: number, empty: boolean): SlowPage {
  const kinds = KINDS[query.get("kind") ?? "sql"] ?? [];
  const by = ORDERS[query.get("order") ?? "total"] ?? (() => 0);
  const service = query.get("service");
  const items = groupsOf(from, to).filter(
    (group) =>
      !empty && kinds.includes(group.kind) && (!service || group.services.some((one) => one.service === service)),
  );
  items.sort((a, b) => by(b) - by(a));
  const more = items.length > 2 && !service;
  return {
    items,
    next: null,
    rest: more
      ? { groups: 1840, calls: 9321, errors: 4, total_ms: 28_400 }
      : { groups: 0, calls: 0, errors: 0, total_ms: 0 },
  };
}

export function slowReport(id: string, from: number, to: number): SlowReport | undefined {
  const group = groupsOf(from, to).find((one) => one.id === id);
  if (!group) return undefined;
  const random = randomFrom(seedOf(id));
  const step = (to - from) / STEPS;
  return {
    from: iso(from),
    to: iso(to),
    step_s: step / 1000,
    group,
    series: Array.from({ length: STEPS }, (_, index) => {
      const average_ms = group.average_ms * (0.7 + random() * 0.6);
      return {
        time: iso(from + index * step),
        calls: Math.round((group.calls / STEPS) * (0.6 + random() * 0.8)),
        errors: random() < 0.1 ? 1 : 0,
        average_ms,
        p95_ms: average_ms * 2.8,
        max_ms: average_ms * (4 + random() * 7),
      };
    }),
    callers: group.services.flatMap(({ app, service, calls, total_ms }) => [
      { app, service, endpoint: "POST /orders", calls: Math.round(calls * 0.8), total_ms: total_ms * 0.8 },
      { app, service, endpoint: "", calls: Math.round(calls * 0.2), total_ms: total_ms * 0.2 },
    ]),
    looked_at: Math.min(2000, group.calls),
    peers: group.peers.map((peer) => ({
      peer,
      calls: group.calls,
      errors: group.errors,
      average_ms: group.average_ms,
      p95_ms: group.p95_ms,
    })),
    slowest: Array.from({ length: 12 }, (_, index) => {
      const row = traceRow(index, to, 40_000);
      return {
        trace_id: row.trace_id,
        span_id: row.span_id,
        app: "shop",
        service: group.services[0]?.service ?? "orders",
        instance: row.instance,
        peer: group.peers[0] ?? "",
        start_time: row.start_time,
        duration_ms: group.max_ms * (1 - index * 0.06),
        error: index === 3,
      };
    }),
  };
}

export function findings(trace_id: string): Findings {
  const finding: Finding = {
    parent_id: "0000000000000000",
    parent: "POST /orders",
    app: "shop",
    service: "orders",
    kind: "sql",
    system: "sqlite",
    text: "SELECT id, price, currency FROM products WHERE id = ?",
    peer: "orders.db",
    calls: 24,
    errors: 0,
    total_ms: 46.2,
    elapsed_ms: 46.2,
    average_ms: 1.93,
    span_ids: ["0000000000000000"],
  };
  return { trace_id, at_least: 5, items: [finding], more: 0, truncated: false };
}

export function deploys(service: string | null, from: number, to: number): DeployMark[] {
  if (service !== "orders") return [];
  const at = (part: number) => iso(from + (to - from) * part);
  const facts = { app: "shop", service, version: "2.4.1" };
  return [
    { ...facts, kind: "restart", time: at(0.82), previous: "", processes: 1 },
    { ...facts, kind: "deploy", time: at(0.45), previous: "2.4.0", processes: 4 },
  ];
}

const STACK = `Traceback (most recent call last):
  File "/srv/shop/orders.py", line 88, in create_order
    charge(order)
  File "/srv/shop/payments.py", line 41, in charge
    response.raise_for_status()
  File "/usr/lib/python3/site-packages/requests/models.py", line 1026, in raise_for_status
    raise HTTPError(http_error_msg, response=self)
requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url: http://payments-gateway:8300/v2/charge`;

const ERRORS: [string, string, string, string[], number, boolean][] = [
  [
    "requests.exceptions.HTTPError",
    "shop/payments.py in charge",
    "{n} Server Error: Bad Gateway for url: http://payments-gateway:{n}/v{n}/charge",
    ["orders", "front"],
    412,
    false,
  ],
  ["sqlite3.OperationalError", "shop/orders.py in create_order", "database is locked", ["orders"], 61, true],
  ["502", "POST /checkout 502", "", ["front"], 408, false],
  [
    "TypeError",
    "src/mail/render.js in Renderer.render",
    "Cannot read properties of undefined (reading 'id')",
    ["mail"],
    3,
    true,
  ],
];

function errorRows(from: number, to: number): ErrorRow[] {
  return ERRORS.map(([type, place, message, services, times, isNew], index) => {
    const example = traceRow(index * 5, to, 900);
    const random = randomFrom(seedOf(place));
    return {
      id: (seedOf(place) >>> 0).toString(16).padStart(16, "0"),
      type,
      place,
      has_stack: !/^\d/.test(type),
      message,
      times,
      first_seen: isNew ? iso(from + (to - from) * 0.5) : iso(from - 40 * 86_400_000),
      last_seen: iso(to - index * 33_000 - 900),
      services: services.map((service, at) => ({ app: "shop", service, times: Math.ceil(times / (at + 1.4)) })),
      endpoints: index + 1,
      instances: 4,
      new_since: isNew ? (deploys("orders", from, to)[1] ?? null) : null,
      series: Array.from({ length: 30 }, (_, step) => (isNew && step < 15 ? 0 : Math.round((random() * times) / 15))),
      trace_id: example.trace_id,
      span_id: example.span_id,
    };
  });
}

export function errorPage(query: URLSearchParams, from: number, to: number, empty: boolean): ErrorPage {
  const service = query.get("service");
  const items = empty
    ? []
    : errorRows(from, to).filter((row) => !service || row.services.some((one) => one.service === service));
  return {
    items: items.sort((a, b) => b.times - a.times),
    next: null,
    from: iso(from),
    to: iso(to),
    step_s: (to - from) / 30_000,
    rest: { groups: 0, times: 0 },
  };
}

export function errorReport(id: string, from: number, to: number): ErrorReport | undefined {
  const group = errorRows(from, to).find((one) => one.id === id);
  if (!group) return undefined;
  const step = (to - from) / 30;
  const where = { app: "shop", service: group.services[0]?.service ?? "orders", last_seen: group.last_seen };
  return {
    from: iso(from),
    to: iso(to),
    step_s: step / 1000,
    group,
    series: group.series.map((times, index) => ({ time: iso(from + index * step), times })),
    endpoints: [
      { ...where, name: "POST /orders", times: Math.ceil(group.times * 0.8) },
      { ...where, name: "POST /checkout", times: Math.floor(group.times * 0.2) },
    ],
    instances: [{ ...where, name: "web-1:4100", times: group.times }],
    messages: [{ message: group.message, times: group.times }],
    deploys: deploys("orders", from, to),
    samples: Array.from({ length: 4 }, (_, index) => {
      const row = traceRow(index * 5, to, 30_000);
      return {
        trace_id: row.trace_id,
        span_id: row.span_id,
        app: "shop",
        service: where.service,
        instance: row.instance,
        endpoint: "POST /orders",
        time: row.start_time,
        type: group.type,
        message: group.message.replaceAll("{n}", "502"),
        stack: group.has_stack ? STACK : "",
      };
    }),
  };
}
