/** Dashboards, inside and shared. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { type RangeSearch, readRangeSearch } from "../domain/range";
import { readFlag, readTexts } from "../domain/search";
import { insideRoute, rootRoute } from "./frame";
import { type ListSearch, readListSearch } from "./lists";

export const dashboardsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/dashboards",
  validateSearch: (search: Record<string, unknown>): ListSearch => readListSearch(search),
  component: lazyRouteComponent(() => import("../pages/dashboards/DashboardsPage")),
});

export interface DashboardSearch {
  edit?: true;
  /** `name=value` of variables. */
  value?: string[];
}

export const dashboardRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/dashboards/$id",
  validateSearch: (search: Record<string, unknown>): DashboardSearch => ({
    edit: readFlag(search.edit),
    value: readTexts(search.value),
  }),
  component: lazyRouteComponent(() => import("../pages/dashboard/DashboardPage")),
});

/** Without an account, for whoever has the link. */
export const sharedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/shared/$token",
  validateSearch: (search: Record<string, unknown>): RangeSearch => readRangeSearch(search),
  component: lazyRouteComponent(() => import("../pages/shared/SharedPage")),
});
