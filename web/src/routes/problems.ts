/** Slow calls and errors. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { ERROR_ORDERS, type ErrorOrder } from "../api/errors";
import { CALL_LISTS, type CallList, SLOW_ORDERS, type SlowOrder } from "../api/slow";
import { readOneOf, readText } from "../domain/search";
import { insideRoute } from "./frame";

export interface SlowSearch {
  kind?: CallList;
  order?: SlowOrder;
  service?: string;
  q?: string;
}

export const slowRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/slow",
  validateSearch: (search: Record<string, unknown>): SlowSearch => ({
    kind: readOneOf(search.kind, CALL_LISTS),
    order: readOneOf(search.order, SLOW_ORDERS),
    service: readText(search.service),
    q: readText(search.q),
  }),
  component: lazyRouteComponent(() => import("../pages/slow/SlowPage")),
});

/** Of one service alone. */
export interface GroupSearch {
  service?: string;
}

const readGroupSearch = (search: Record<string, unknown>): GroupSearch => ({ service: readText(search.service) });

export const slowGroupRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/slow/$group",
  validateSearch: readGroupSearch,
  component: lazyRouteComponent(() => import("../pages/slowGroup/SlowGroupPage")),
});

export interface ErrorsSearch extends GroupSearch {
  order?: ErrorOrder;
  q?: string;
}

export const errorsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/errors",
  validateSearch: (search: Record<string, unknown>): ErrorsSearch => ({
    ...readGroupSearch(search),
    order: readOneOf(search.order, ERROR_ORDERS),
    q: readText(search.q),
  }),
  component: lazyRouteComponent(() => import("../pages/errors/ErrorsPage")),
});

export const errorGroupRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/errors/$group",
  validateSearch: readGroupSearch,
  component: lazyRouteComponent(() => import("../pages/errorGroup/ErrorGroupPage")),
});
