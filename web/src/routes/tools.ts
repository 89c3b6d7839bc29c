/** The debugger's tools, and what they found. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import type { JobState } from "../api/types";
import { readFlag, readOneOf, readText } from "../domain/search";
import { insideRoute } from "./frame";
import { type ListSearch, readListSearch } from "./lists";

export interface ToolsSearch extends ListSearch {
  app?: string;
  service?: string;
  node?: string;
  /** The chosen process: app, node and pid. */
  process?: string;
  /** The chosen tool. */
  tool?: string;
  /** Of the runs below: which tool, which state, of the chosen process only. */
  ran?: string;
  state?: JobState;
  own?: true;
}

const JOB_STATES: readonly JobState[] = ["waiting", "running", "done", "failed", "cancelled"];

export const toolsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/tools",
  validateSearch: (search: Record<string, unknown>): ToolsSearch => ({
    ...readListSearch(search),
    app: readText(search.app),
    service: readText(search.service),
    node: readText(search.node),
    process: readText(search.process),
    tool: readText(search.tool),
    ran: readText(search.ran),
    state: readOneOf(search.state, JOB_STATES),
    own: readFlag(search.own),
  }),
  component: lazyRouteComponent(() => import("../pages/tools/ToolsPage")),
});

/** How a result is looked at. */
export interface JobSearch extends ListSearch {
  view?: string;
  /** Path of the zoomed node of a flame graph. */
  zoom?: string;
  inverted?: true;
  by?: "function" | "file" | "line";
  /** The function in the middle of its callers and callees. */
  fn?: string;
  /** The run that this one is compared with. */
  before?: string;
}

export const jobRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/tools/runs/$job",
  validateSearch: (search: Record<string, unknown>): JobSearch => ({
    ...readListSearch(search),
    view: readText(search.view),
    zoom: readText(search.zoom),
    inverted: readFlag(search.inverted),
    by: readOneOf(search.by, ["function", "file", "line"]),
    fn: readText(search.fn),
    before: readText(search.before),
  }),
  component: lazyRouteComponent(() => import("../pages/job/JobPage")),
});
