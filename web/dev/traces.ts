/** Canned traces: a list of any length, one request through three services, and one of 100,000 spans. */

import type { Comparison } from "../src/api/tracesTypes";
import type { CriticalStretch, Span, SpanKind, Trace, TraceRow } from "../src/api/types";
import { randomFrom, seedOf } from "./random.ts";
import { SERVICES } from "./shop.ts";

export const HUGE_TRACE = "f".repeat(32);
const HUGE_SPANS = 100_000;

const hex = (value: number, length: number) => value.toString(16).padStart(length, "0").slice(-length);

/** The `index`-th newest request before `to`. */
export function traceRow(index: number, to: number, spacing_ms: number): TraceRow {
  const random = randomFrom(index * 7919 + 17);
  const busy = SERVICES.filter(({ per_s }) => per_s > 0.1);
  const service = busy[Math.floor(random() ** 1.6 * busy.length)] as (typeof busy)[number];
  const error = random() < service.failing * 2;
  const endpoint = service.endpoints[Math.floor(random() * service.endpoints.length)] as string;
  const slow = random() < 0.06 ? 14 : 1;
  const id = Math.floor(random() * 0xffffffff);
  return {
    trace_id: hex(id, 8) + hex(index + 1, 24),
    span_id: hex(id, 16),
    app: "shop",
    service: service.name,
    instance: `web-1:${4100 + Math.floor(random() * service.instances)}`,
    endpoint,
    kind: endpoint.includes(" ") ? "server" : "consumer",
    start_time: new Date(to - index * spacing_ms - random() * spacing_ms).toISOString(),
    duration_ms: service.p50_ms * (0.4 + random() * 2.4) * slow,
    error,
    status_code: error ? (random() > 0.5 ? 500 : 502) : endpoint.startsWith("POST") ? 201 : 200,
  };
}

interface Draft {
  service: string;
  name: string;
  kind?: SpanKind;
  at: number;
  takes: number;
  error?: string;
  peer?: string;
  statement?: string;
  attributes?: Record<string, string>;
  stack?: string;
  children?: Draft[];
}

const STACK = `Traceback (most recent call last):
  File "shop/orders.py", line 88, in create_order
    charge(order)
  File "shop/payments.py", line 41, in charge
    response.raise_for_status()
  File "site-packages/requests/models.py", line 1026, in raise_for_status
    raise HTTPError(http_error_msg, response=self)
requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url: http://payments-gateway:8300/v2/charge`;

const CHECKOUT: Draft = {
  service: "front",
  name: "POST /checkout",
  kind: "server",
  at: 0,
  takes: 248.3,
  error: "502 Bad Gateway",
  attributes: {
    "http.request.method": "POST",
    "http.route": "/checkout",
    "url.path": "/checkout",
    "http.response.status_code": "502",
    "client.address": "203.0.113.9",
    "user.tier": "gold",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
  },
  children: [
    { service: "front", name: "load_cart", at: 1.2, takes: 6.4, children: [cacheGet(1.9, 0.7), cacheGet(3.1, 0.6)] },
    {
      service: "front",
      name: "GET",
      kind: "client",
      at: 9.1,
      takes: 12.8,
      peer: "stock:8200",
      children: [
        {
          service: "stock",
          name: "POST /reserve",
          kind: "server",
          at: 10.4,
          takes: 9.7,
          children: [cacheGet(11.2, 0.8), cacheGet(12.4, 0.7), { ...cacheGet(14.1, 3.9), name: "redis EVALSHA" }],
        },
      ],
    },
    {
      service: "front",
      name: "POST",
      kind: "client",
      at: 24.6,
      takes: 219.1,
      peer: "orders:8100",
      children: [
        {
          service: "orders",
          name: "POST /orders",
          kind: "server",
          at: 26.2,
          takes: 216.4,
          error: "HTTPError: 502 Server Error: Bad Gateway for url: http://payments-gateway:8300/v2/charge",
          stack: STACK,
          children: [
            sql(28.1, 1.9, "SELECT id, price, currency FROM products WHERE id IN (?, ?, ?)"),
            sql(30.9, 0.6, "BEGIN"),
            sql(
              31.8,
              2.7,
              "INSERT INTO orders (customer, total, currency, created_at)\nVALUES (?, ?, ?, ?)\nRETURNING id",
            ),
            sql(35.2, 4.4, "INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES (?, ?, ?, ?)"),
            {
              service: "orders",
              name: "POST",
              kind: "client",
              at: 42.3,
              takes: 187.5,
              error: "502",
              peer: "payments-gateway:8300",
              children: [
                {
                  service: "payments-gateway",
                  name: "POST /v2/charge",
                  kind: "server",
                  at: 45.1,
                  takes: 182.2,
                  error: "upstream timed out",
                  children: [
                    {
                      service: "payments-gateway",
                      name: "POST api.bank.example",
                      kind: "client",
                      at: 47.8,
                      takes: 176.9,
                      error: "read ETIMEDOUT",
                      peer: "api.bank.example:443",
                    },
                  ],
                },
              ],
            },
            sql(232.4, 1.1, "ROLLBACK"),
            { service: "orders", name: "kafka send mail", kind: "producer", at: 235.2, takes: 1.4, peer: "mail" },
          ],
        },
      ],
    },
  ],
};

function cacheGet(at: number, takes: number): Draft {
  return {
    service: at < 9 ? "front" : "stock",
    name: "redis GET",
    kind: "client",
    at,
    takes,
    peer: "redis:6379",
    attributes: {
      "db.system.name": "redis",
      "db.operation.name": "GET",
      "server.address": "redis",
      "server.port": "6379",
    },
  };
}

function sql(at: number, takes: number, statement: string): Draft {
  const operation = statement.split(/\s/)[0] as string;
  return {
    service: "orders",
    name: `sqlite ${operation}`,
    kind: "client",
    at,
    takes,
    statement,
    peer: "orders.db",
    attributes: { "db.system.name": "sqlite", "db.operation.name": operation, "db.namespace": "orders.db" },
  };
}

/** Each trace id gives the same trace; ids other than the huge one give a checkout. */
export function trace(traceId: string, to: number): Trace {
  const start = to - 60_000;
  if (traceId === HUGE_TRACE) return hugeTrace(start);
  const spans: Span[] = [];
  const random = randomFrom(seedOf(traceId));
  const add = (draft: Draft, parent: string, depth: number) => {
    const id = hex(Math.floor(random() * 0xffffffff), 8) + hex(spans.length, 8);
    const inChildren = (draft.children ?? []).reduce((sum, child) => sum + child.takes, 0);
    spans.push({
      span_id: id,
      parent_id: parent,
      app: "shop",
      service: draft.service,
      instance: `web-1:${4100 + draft.service.length}`,
      name: draft.name,
      kind: draft.kind ?? "internal",
      start_time: new Date(start + draft.at).toISOString(),
      offset_ms: draft.at,
      duration_ms: draft.takes,
      self_ms: Math.max(0, draft.takes - inChildren),
      error: draft.error !== undefined,
      status_message: draft.error ?? "",
      status_code: draft.kind === "server" ? (draft.error ? 502 : 200) : 0,
      peer: draft.peer ?? "",
      statement: draft.statement ?? "",
      depth,
      attributes: {
        ...(draft.peer ? { "server.address": draft.peer.split(":")[0] as string } : {}),
        "thread.name": "MainThread",
        ...draft.attributes,
      },
      events: draft.stack
        ? [
            {
              name: "exception",
              time: new Date(start + draft.at + draft.takes - 3).toISOString(),
              offset_ms: draft.takes - 3,
              attributes: {
                "exception.type": "requests.exceptions.HTTPError",
                "exception.message": draft.error as string,
                "exception.stacktrace": draft.stack,
              },
            },
            {
              name: "order.retried",
              time: new Date(start + draft.at + 60).toISOString(),
              offset_ms: 60,
              attributes: { attempt: "2" },
            },
          ]
        : [],
      links: [],
    });
    for (const child of draft.children ?? []) add(child, id, depth + 1);
  };
  add(CHECKOUT, "", 0);
  return {
    trace_id: traceId,
    start_time: new Date(start).toISOString(),
    duration_ms: CHECKOUT.takes,
    services: [...new Set(spans.map(({ service }) => service))],
    errors: spans.filter(({ error }) => error).length,
    spans,
    critical_path: waitedFor(spans),
    truncated: false,
  };
}

/** Children one after the other: enough for what is canned here. The server's own way is in insight/critical_path.py. */
function waitedFor(spans: readonly Span[]): CriticalStretch[] {
  const root = spans[0] as Span;
  const path: CriticalStretch[] = [];
  let reached = root.offset_ms;
  for (const [index, span] of spans.entries()) {
    if (index === 0 || span.offset_ms < reached || span.offset_ms + span.duration_ms > root.duration_ms) continue;
    const isLeaf = (spans[index + 1]?.depth ?? 0) <= span.depth;
    if (!isLeaf) continue;
    if (span.offset_ms > reached) path.push({ span: 0, from_ms: reached, to_ms: span.offset_ms });
    reached = span.offset_ms + span.duration_ms;
    path.push({ span: index, from_ms: span.offset_ms, to_ms: reached });
  }
  path.push({ span: 0, from_ms: reached, to_ms: root.offset_ms + root.duration_ms });
  return path;
}

export const ATTRIBUTE_KEYS = ["http.request.method", "http.route", "user.tier", "user.id", "db.system.name"].map(
  (key, index) => ({ key, spans: 9000 - index * 1700 }),
);

const VALUES: Record<string, string[]> = {
  "http.request.method": ["GET", "POST", "DELETE"],
  "user.tier": ["gold", "silver", "a value so long that no field shows it whole, as somebody wrote it once"],
};

export function attributeValues(query: URLSearchParams) {
  const contains = (query.get("contains") ?? "").toLowerCase();
  return (VALUES[query.get("key") ?? ""] ?? [])
    .filter((value) => value.toLowerCase().includes(contains))
    .map((value, index) => ({ value, spans: 500 - index }));
}

/** The second trace took longer at the bank, read the cart from SQL, and did not roll back. */
export function comparison(a: Trace, b: Trace): Comparison {
  const head = (one: Trace, longer: number) => ({
    trace_id: one.trace_id,
    start_time: one.start_time,
    duration_ms: one.duration_ms + longer,
    service: one.spans[0]?.service ?? "",
    endpoint: one.spans[0]?.name ?? "",
    spans: one.spans.length,
    errors: one.errors,
  });
  const slower = (span: Span) => (span.duration_ms > 150 ? 340 : span.duration_ms * 0.02);
  const spans = a.spans.map((span, index) => {
    const [gone, added] = [span.name === "sqlite ROLLBACK", span.name === "redis GET" && span.offset_ms < 9];
    const { depth, service, name, kind, peer, duration_ms, self_ms, error } = span;
    return {
      ...{ depth, service, name, kind, peer },
      span_a: added ? "" : span.span_id,
      span_b: gone ? "" : (b.spans[index]?.span_id ?? ""),
      duration_a_ms: added ? null : duration_ms,
      duration_b_ms: gone ? null : duration_ms + slower(span),
      self_a_ms: added ? null : self_ms,
      self_b_ms: gone ? null : self_ms,
      error_a: error && !added,
      error_b: error && !gone,
    };
  });
  const operations = a.spans.map(({ service, name, kind, peer, self_ms }, index) => ({
    ...{ service, name, kind, peer },
    spans_a: 1,
    spans_b: index % 5 === 3 ? 4 : 1,
    self_a_ms: self_ms,
    self_b_ms: self_ms * (index % 5 === 3 ? 3.7 : index % 2 ? 0.98 : 1.3),
  }));
  operations.sort(
    (one, other) => Math.abs(other.self_b_ms - other.self_a_ms) - Math.abs(one.self_b_ms - one.self_a_ms),
  );
  const once = [...new Map(operations.map((one) => [`${one.service}${one.name}${one.peer}`, one])).values()];
  return { a: head(a, 0), b: head(b, 340), same_endpoint: true, operations: once, spans, truncated: false };
}

function hugeTrace(start: number): Trace {
  const random = randomFrom(5);
  const spans: Span[] = [];
  const names = ["front", "orders", "stock"];
  const duration = 120_000;
  for (let index = 0; index < HUGE_SPANS; index++) {
    const place = index % 20;
    const depth = index === 0 ? 0 : place === 1 ? 1 : place > 2 && place % 4 === 0 ? 3 : 2;
    const offset = (index / HUGE_SPANS) * duration * 0.99;
    spans.push({
      span_id: hex(index + 1, 16),
      parent_id: index === 0 ? "" : hex(1, 16),
      app: "shop",
      service: names[depth % 3] as string,
      instance: "web-1:4100",
      name: index === 0 ? "nightly import" : depth === 1 ? `batch ${Math.floor(index / 20)}` : `sqlite INSERT ${index}`,
      kind: "internal",
      start_time: new Date(start + offset).toISOString(),
      offset_ms: offset,
      duration_ms: index === 0 ? duration : 1 + random() * 30,
      self_ms: 1,
      error: index > 0 && random() < 0.0005,
      status_message: "",
      status_code: 0,
      peer: "",
      statement: "",
      depth,
      attributes: { row: String(index) },
      events: [],
      links: [],
    });
  }
  return {
    trace_id: HUGE_TRACE,
    start_time: new Date(start).toISOString(),
    duration_ms: duration,
    services: names,
    errors: spans.filter(({ error }) => error).length,
    spans,
    critical_path: waitedFor(spans),
    truncated: true,
  };
}
