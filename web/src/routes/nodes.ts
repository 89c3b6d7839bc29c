/** Hosts. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { readNumber, readText } from "../domain/search";
import { insideRoute } from "./frame";
import { readListSearch } from "./lists";

export const nodesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodes",
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import("../pages/nodes/NodesPage")),
});

export interface NodeSearch {
  /** Of the processes that used most: the minute before this moment, epoch ms; nothing: the newest. */
  at?: number;
  sort?: string;
  /** The chosen process: its id, and when it began, epoch ms. */
  pid?: number;
  started?: number;
}

export const nodeRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodes/$host",
  validateSearch: (search: Record<string, unknown>): NodeSearch => ({
    at: readNumber(search.at),
    sort: readText(search.sort),
    pid: readNumber(search.pid),
    started: readNumber(search.started),
  }),
  component: lazyRouteComponent(() => import("../pages/node/NodePage")),
});
