/** Traces: found, one, two side by side. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { readFlag, readNumber, readOneOf, readText, readTexts } from "../domain/search";
import { insideRoute } from "./frame";

export interface TracesSearch {
  app?: string;
  service?: string;
  instance?: string;
  endpoint?: string;
  /** Whom spans talk to; with `any_span`. */
  peer?: string;
  /** `404`, `5xx` */
  status?: string;
  min_ms?: number;
  max_ms?: number;
  error?: true;
  /** `key=value` and the like, see domain/conditions; several are all met. */
  attribute?: string | string[];
  /** Also what requests do inside. */
  any_span?: true;
  order?: "newest" | "slowest";
}

export const tracesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/traces",
  validateSearch: (search: Record<string, unknown>): TracesSearch => ({
    app: readText(search.app),
    service: readText(search.service),
    instance: readText(search.instance),
    endpoint: readText(search.endpoint),
    peer: readText(search.peer),
    status: readText(search.status),
    min_ms: readNumber(search.min_ms),
    max_ms: readNumber(search.max_ms),
    error: readFlag(search.error),
    attribute: readTexts(search.attribute),
    any_span: readFlag(search.any_span),
    order: readOneOf(search.order, ["newest", "slowest"]),
  }),
  component: lazyRouteComponent(() => import("../pages/traces/TracesPage")),
});

export interface TraceSearch {
  /** Id of the chosen span. */
  span?: string;
  q?: string;
  /** What is not on the critical path is dimmed. */
  path?: true;
}

export const traceRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/traces/$traceId",
  validateSearch: (search: Record<string, unknown>): TraceSearch => ({
    span: readText(search.span),
    q: readText(search.q),
    path: readFlag(search.path),
  }),
  component: lazyRouteComponent(() => import("../pages/trace/TracePage")),
});

export interface CompareSearch {
  /** Only what differs. */
  changed?: true;
}

export const compareRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/traces/$traceId/compare/$other",
  validateSearch: (search: Record<string, unknown>): CompareSearch => ({ changed: readFlag(search.changed) }),
  component: lazyRouteComponent(() => import("../pages/compare/ComparePage")),
});
