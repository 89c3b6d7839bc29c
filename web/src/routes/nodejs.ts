/** Processes of Node.js, and their files. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import type { NodejsFileKind } from "../api/nodejsTypes";
import { FILE_KINDS } from "../domain/nodejs";
import { readFlag, readNumber, readOneOf, readText } from "../domain/search";
import { insideRoute } from "./frame";
import { type ListSearch, readListSearch } from "./lists";
import type { JobSearch } from "./tools";

export interface NodejsSearch extends ListSearch {
  app?: string;
  view?: "instances";
}

export const nodejsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs",
  validateSearch: (search: Record<string, unknown>): NodejsSearch => ({
    ...readListSearch(search),
    app: readText(search.app),
    view: readOneOf(search.view, ["instances"]),
  }),
  component: lazyRouteComponent(() => import("../pages/nodejs/NodejsPage")),
});

export const INSTANCE_VIEWS = ["processes", "system", "errors", "packages", "cores"] as const;

export interface NodejsInstanceSearch extends ListSearch {
  view?: (typeof INSTANCE_VIEWS)[number];
  /** The chosen file of errors, or package.json. */
  file?: string;
}

export const nodejsInstanceRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/$app/$agent",
  validateSearch: (search: Record<string, unknown>): NodejsInstanceSearch => ({
    ...readListSearch(search),
    view: readOneOf(search.view, INSTANCE_VIEWS),
    file: readText(search.file),
  }),
  component: lazyRouteComponent(() => import("../pages/nodejsInstance/NodejsInstancePage")),
});

export interface NodejsProcessSearch {
  /** Of the charts; 0 is the main one. */
  thread?: number;
  /** Seconds of the next profile. */
  duration?: number;
}

export const nodejsProcessRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/$app/$agent/$pid",
  validateSearch: (search: Record<string, unknown>): NodejsProcessSearch => ({
    thread: readNumber(search.thread),
    duration: readNumber(search.duration),
  }),
  component: lazyRouteComponent(() => import("../pages/nodejsProcess/NodejsProcessPage")),
});

export interface NodejsFilesSearch {
  app?: string;
  agent?: string;
  pid?: number;
  kind?: NodejsFileKind;
  favourite?: true;
}

export const nodejsFilesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/files",
  validateSearch: (search: Record<string, unknown>): NodejsFilesSearch => ({
    app: readText(search.app),
    agent: readText(search.agent),
    pid: readNumber(search.pid),
    kind: readOneOf(search.kind, FILE_KINDS),
    favourite: readFlag(search.favourite),
  }),
  component: lazyRouteComponent(() => import("../pages/nodejsFiles/NodejsFilesPage")),
});

/** How a file is looked at. */
export interface NodejsFileSearch extends Omit<JobSearch, "before"> {
  /** The file that this one is compared with. */
  before?: number;
  /** With the time in which nothing ran. */
  idle?: true;
  /** Order of the requests. */
  order?: string;
  /** Of a heap: words in the names of objects, the chosen object. */
  find?: string;
  object?: number;
}

export const nodejsFileRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/files/$id",
  validateSearch: (search: Record<string, unknown>): NodejsFileSearch => ({
    ...readListSearch(search),
    view: readText(search.view),
    zoom: readText(search.zoom),
    inverted: readFlag(search.inverted),
    by: readOneOf(search.by, ["function", "file", "line"]),
    fn: readText(search.fn),
    before: readNumber(search.before),
    idle: readFlag(search.idle),
    order: readText(search.order),
    find: readText(search.find),
    object: readNumber(search.object),
  }),
  component: lazyRouteComponent(() => import("../pages/nodejsFile/NodejsFilePage")),
});
