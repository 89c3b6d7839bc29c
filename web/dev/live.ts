/** The canned live stream: the last 15 minutes at once, then a change each second. */

import type { IncomingMessage, ServerResponse } from "node:http";

import type { LiveChange, LivePoint, LiveWhole } from "../src/api/liveTypes";
import type { TraceRow } from "../src/api/types";
import { seriesOf } from "./figures.ts";
import { type CannedService, SERVICES } from "./shop.ts";
import { traceRow } from "./traces.ts";

const WINDOW_S = 900;
const BEHIND_MS = 840;

export function streamLive(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  empty: boolean,
): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const first = whole(query, Date.now());
  if (empty) {
    const tail = { rows: [], more: 0, unread: 0 };
    response.write(eventOf("whole", { ...first, behind_ms: null, series: [], services: [], tail }));
    return;
  }
  response.write(eventOf("whole", first));
  const timer = setInterval(() => response.write(eventOf("change", change(query, Date.now()))), 1000);
  request.on("close", () => clearInterval(timer));
}

export const eventOf = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export function whole(query: URLSearchParams, now: number): LiveWhole {
  const end = Math.floor(now / 1000) * 1000;
  return {
    time: new Date(now).toISOString(),
    window_s: WINDOW_S,
    behind_ms: BEHIND_MS,
    series: points(query, end - WINDOW_S * 1000, end),
    services: SERVICES.filter(({ per_s }) => per_s > 0.1).map((canned) => ({
      service: canned.name,
      requests_per_s: canned.per_s,
      errors_per_s: canned.per_s * canned.failing,
      average_ms: canned.p50_ms * 1.3,
      p95_ms: canned.p50_ms * 4,
    })),
    tail: { rows: rows(query, end, 100), more: 0, unread: 0 },
  };
}

export function change(query: URLSearchParams, now: number): LiveChange {
  const end = Math.floor(now / 1000) * 1000;
  return {
    time: new Date(now).toISOString(),
    behind_ms: BEHIND_MS,
    series: points(query, end - 3000, end),
    services: null,
    tail: { rows: rows(query, end, 6), more: 14, unread: 3 },
  };
}

function points(query: URLSearchParams, from: number, to: number): LivePoint[] {
  const wanted = SERVICES.find(({ name }) => name === query.get("service")) ?? (SERVICES[0] as CannedService);
  return seriesOf({ ...wanted, failing: 0.03 }, from, to, (to - from) / 1000).map(
    ({ covered_s: _, ...point }) => point,
  );
}

function rows(query: URLSearchParams, end: number, count: number): TraceRow[] {
  const words = (query.get("q") ?? "").toLowerCase();
  return Array.from({ length: count }, (_, index) => ({
    ...traceRow(Math.floor(end / 1000) * 10 - index, end, 0),
    start_time: new Date(end - index * 160).toISOString(),
  }))
    .filter(
      (row) =>
        row.duration_ms >= Number(query.get("min_ms") ?? 0) &&
        (query.get("service") ?? row.service) === row.service &&
        (query.get("endpoint") ?? row.endpoint) === row.endpoint &&
        (query.get("error") !== "true" || row.error) &&
        `${row.service} ${row.endpoint} ${row.status_code}`.toLowerCase().includes(words),
    )
    .reverse();
}
