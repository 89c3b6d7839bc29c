/** Services, and the map of them. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { HOPS, type Hops } from "../domain/mapFocus";
import { readNumber, readOneOf, readText } from "../domain/search";
import { insideRoute } from "./frame";
import { type ListSearch, readListSearch } from "./lists";

export interface OverviewSearch extends ListSearch {
  view?: "table" | "cards";
}

export const overviewRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/services",
  validateSearch: (search: Record<string, unknown>): OverviewSearch => ({
    ...readListSearch(search),
    view: readOneOf(search.view, ["table", "cards"]),
  }),
  component: lazyRouteComponent(() => import("../pages/overview/OverviewPage")),
});

export interface ServiceSearch extends ListSearch {
  /** Two apps may each have a service of this name. */
  app?: string;
}

export const serviceRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/services/$service",
  validateSearch: (search: Record<string, unknown>): ServiceSearch => ({
    ...readListSearch(search),
    app: readText(search.app),
  }),
  component: lazyRouteComponent(() => import("../pages/service/ServicePage")),
});

export interface MapSearch {
  /** Id of the chosen node. */
  node?: string;
  /** How far from it the map stays bright. */
  hops?: Hops;
  /** The chosen call: ids of both ends as JSON. */
  call?: string;
  /** Start of the step that is shown in place of the whole time, epoch ms. */
  at?: number;
  view?: "graph" | "list";
}

export const mapRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/map",
  validateSearch: (search: Record<string, unknown>): MapSearch => ({
    node: readText(search.node),
    hops: HOPS.find((hops) => hops === readNumber(search.hops)),
    call: readText(search.call),
    at: readNumber(search.at),
    view: readOneOf(search.view, ["graph", "list"]),
  }),
  component: lazyRouteComponent(() => import("../pages/map/MapPage")),
});
