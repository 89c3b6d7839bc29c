/** Statistics, and what an app says about its own. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { BYS, type By, COMPARES, type Compare } from "../api/statisticsTypes";
import { readOneOf, readText } from "../domain/search";
import { DAY_METRICS, type DayMetric } from "../pages/statisticsDay/strip";
import { insideRoute } from "./frame";
import { type ListSearch, readListSearch } from "./lists";

export interface StatisticsSearch extends ListSearch {
  app?: string;
  service?: string;
  endpoint?: string;
  instance?: string;
  /** Kind of the spans; `client` and `producer`: outgoing calls. */
  kind?: string;
  /** `404`, `5xx` */
  status?: string;
  by?: By;
  compare?: Compare;
}

export const statisticsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/statistics",
  validateSearch: (search: Record<string, unknown>): StatisticsSearch => ({
    ...readListSearch(search),
    app: readText(search.app),
    service: readText(search.service),
    endpoint: readText(search.endpoint),
    instance: readText(search.instance),
    kind: readText(search.kind),
    status: readText(search.status),
    by: readOneOf(search.by, BYS),
    compare: readOneOf(search.compare, COMPARES),
  }),
  component: lazyRouteComponent(() => import("../pages/statistics/StatisticsPage")),
});

export interface DaySearch {
  app?: string;
  service?: string;
  /** As 2026-11-21, in the app's time zone; nothing: today there. */
  date?: string;
  /** The date beside it. */
  against?: string;
  metric?: DayMetric;
}

export const statisticsDayRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/statistics/day",
  validateSearch: (search: Record<string, unknown>): DaySearch => ({
    app: readText(search.app),
    service: readText(search.service),
    date: readText(search.date),
    against: readText(search.against),
    metric: readOneOf(search.metric, DAY_METRICS),
  }),
  component: lazyRouteComponent(() => import("../pages/statisticsDay/StatisticsDayPage")),
});

export const appSettingsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/apps/$app/settings",
  component: lazyRouteComponent(() => import("../pages/appSettings/AppSettingsPage")),
});

export const namesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/apps/$app/names",
  // the rule that is changed
  validateSearch: (search: Record<string, unknown>): { rule?: string } => ({ rule: readText(search.rule) }),
  component: lazyRouteComponent(() => import("../pages/names/NamesPage")),
});
