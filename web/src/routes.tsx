/** The addresses of the console. Each page is a chunk of its own; what it shows is all in its address. */

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import type { AlarmState, Severity } from "./api/alarmsTypes";
import { ERROR_ORDERS, type ErrorOrder } from "./api/errors";
import { ApiError } from "./api/http";
import type { NodejsFileKind } from "./api/nodejsTypes";
import { sessionQuery } from "./api/queries";
import { CALL_LISTS, type CallList, SLOW_ORDERS, type SlowOrder } from "./api/slow";
import { BYS, type By, COMPARES, type Compare } from "./api/statisticsTypes";
import type { JobState } from "./api/types";
import { HOPS, type Hops } from "./domain/mapFocus";
import { FILE_KINDS } from "./domain/nodejs";
import { type RangeSearch, readRangeSearch } from "./domain/range";
import { parseSearch, readFlag, readNumber, readOneOf, readText, readTexts, writeSearch } from "./domain/search";
import { NotFoundPage } from "./pages/notFound/NotFoundPage";
import { DAY_METRICS, type DayMetric } from "./pages/statisticsDay/strip";
import { PageFailure } from "./shell/PageFailure";
import { Shell } from "./shell/Shell";

const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: readText(search.next) }),
  component: lazyRouteComponent(() => import("./pages/login/LoginPage")),
});

const insideRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "in",
  validateSearch: (search: Record<string, unknown>): RangeSearch => readRangeSearch(search),
  search: { middlewares: [retainSearchParams(["range", "from", "to", "refresh"])] },
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        throw redirect({ to: "/login", search: { next: location.href } });
      }
      throw error;
    }
  },
  component: Shell,
  errorComponent: PageFailure,
});

const indexRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/services", search: true, replace: true });
  },
});

export interface ListSearch {
  /** `p95` upwards, `-p95` downwards. */
  sort?: string;
  /** What the names must contain. */
  q?: string;
}

const readListSearch = (search: Record<string, unknown>): ListSearch => ({
  sort: readText(search.sort),
  q: readText(search.q),
});

export interface OverviewSearch extends ListSearch {
  view?: "table" | "cards";
}

const overviewRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/services",
  validateSearch: (search: Record<string, unknown>): OverviewSearch => ({
    ...readListSearch(search),
    view: readOneOf(search.view, ["table", "cards"]),
  }),
  component: lazyRouteComponent(() => import("./pages/overview/OverviewPage")),
});

export interface ServiceSearch extends ListSearch {
  /** Two apps may each have a service of this name. */
  app?: string;
}

const serviceRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/services/$service",
  validateSearch: (search: Record<string, unknown>): ServiceSearch => ({
    ...readListSearch(search),
    app: readText(search.app),
  }),
  component: lazyRouteComponent(() => import("./pages/service/ServicePage")),
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

const mapRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/map",
  validateSearch: (search: Record<string, unknown>): MapSearch => ({
    node: readText(search.node),
    hops: HOPS.find((hops) => hops === readNumber(search.hops)),
    call: readText(search.call),
    at: readNumber(search.at),
    view: readOneOf(search.view, ["graph", "list"]),
  }),
  component: lazyRouteComponent(() => import("./pages/map/MapPage")),
});

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

const tracesRoute = createRoute({
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
  component: lazyRouteComponent(() => import("./pages/traces/TracesPage")),
});

export interface TraceSearch {
  /** Id of the chosen span. */
  span?: string;
  q?: string;
  /** What is not on the critical path is dimmed. */
  path?: true;
}

const traceRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/traces/$traceId",
  validateSearch: (search: Record<string, unknown>): TraceSearch => ({
    span: readText(search.span),
    q: readText(search.q),
    path: readFlag(search.path),
  }),
  component: lazyRouteComponent(() => import("./pages/trace/TracePage")),
});

export interface CompareSearch {
  /** Only what differs. */
  changed?: true;
}

const compareRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/traces/$traceId/compare/$other",
  validateSearch: (search: Record<string, unknown>): CompareSearch => ({ changed: readFlag(search.changed) }),
  component: lazyRouteComponent(() => import("./pages/compare/ComparePage")),
});

/** Of the charts. The first is shown where nothing is chosen. */
export const LIVE_WINDOWS_S: readonly [number, ...number[]] = [60, 300, 900];

export interface LiveSearch {
  service?: string;
  endpoint?: string;
  min_ms?: number;
  error?: true;
  /** Words in a name, an id or the status. */
  q?: string;
  window_s?: number;
  paused?: true;
}

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

const statisticsRoute = createRoute({
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
  component: lazyRouteComponent(() => import("./pages/statistics/StatisticsPage")),
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

const statisticsDayRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/statistics/day",
  validateSearch: (search: Record<string, unknown>): DaySearch => ({
    app: readText(search.app),
    service: readText(search.service),
    date: readText(search.date),
    against: readText(search.against),
    metric: readOneOf(search.metric, DAY_METRICS),
  }),
  component: lazyRouteComponent(() => import("./pages/statisticsDay/StatisticsDayPage")),
});

const appSettingsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/apps/$app/settings",
  component: lazyRouteComponent(() => import("./pages/appSettings/AppSettingsPage")),
});

const namesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/apps/$app/names",
  // the rule that is changed
  validateSearch: (search: Record<string, unknown>): { rule?: string } => ({ rule: readText(search.rule) }),
  component: lazyRouteComponent(() => import("./pages/names/NamesPage")),
});

export interface SlowSearch {
  kind?: CallList;
  order?: SlowOrder;
  service?: string;
  q?: string;
}

const slowRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/slow",
  validateSearch: (search: Record<string, unknown>): SlowSearch => ({
    kind: readOneOf(search.kind, CALL_LISTS),
    order: readOneOf(search.order, SLOW_ORDERS),
    service: readText(search.service),
    q: readText(search.q),
  }),
  component: lazyRouteComponent(() => import("./pages/slow/SlowPage")),
});

/** Of one service alone. */
export interface GroupSearch {
  service?: string;
}

const readGroupSearch = (search: Record<string, unknown>): GroupSearch => ({ service: readText(search.service) });

const slowGroupRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/slow/$group",
  validateSearch: readGroupSearch,
  component: lazyRouteComponent(() => import("./pages/slowGroup/SlowGroupPage")),
});

export interface ErrorsSearch extends GroupSearch {
  order?: ErrorOrder;
  q?: string;
}

const errorsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/errors",
  validateSearch: (search: Record<string, unknown>): ErrorsSearch => ({
    ...readGroupSearch(search),
    order: readOneOf(search.order, ERROR_ORDERS),
    q: readText(search.q),
  }),
  component: lazyRouteComponent(() => import("./pages/errors/ErrorsPage")),
});

const errorGroupRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/errors/$group",
  validateSearch: readGroupSearch,
  component: lazyRouteComponent(() => import("./pages/errorGroup/ErrorGroupPage")),
});

const liveRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/live",
  validateSearch: (search: Record<string, unknown>): LiveSearch => ({
    service: readText(search.service),
    endpoint: readText(search.endpoint),
    min_ms: readNumber(search.min_ms),
    error: readFlag(search.error),
    q: readText(search.q),
    window_s: LIVE_WINDOWS_S.find((seconds) => seconds === readNumber(search.window_s)),
    paused: readFlag(search.paused),
  }),
  component: lazyRouteComponent(() => import("./pages/live/LivePage")),
});

const nodesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodes",
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import("./pages/nodes/NodesPage")),
});

export interface NodeSearch {
  /** Of the processes that used most: the minute before this moment, epoch ms; nothing: the newest. */
  at?: number;
  sort?: string;
  /** The chosen process: its id, and when it began, epoch ms. */
  pid?: number;
  started?: number;
}

const nodeRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodes/$host",
  validateSearch: (search: Record<string, unknown>): NodeSearch => ({
    at: readNumber(search.at),
    sort: readText(search.sort),
    pid: readNumber(search.pid),
    started: readNumber(search.started),
  }),
  component: lazyRouteComponent(() => import("./pages/node/NodePage")),
});

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

const toolsRoute = createRoute({
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
  component: lazyRouteComponent(() => import("./pages/tools/ToolsPage")),
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

const jobRoute = createRoute({
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
  component: lazyRouteComponent(() => import("./pages/job/JobPage")),
});

export interface ConnectSearch {
  /** Id of the app that the data shall belong to. */
  app?: string;
  /** Which kind of client. */
  kind?: string;
}

const connectRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/connect",
  validateSearch: (search: Record<string, unknown>): ConnectSearch => ({
    app: readText(search.app),
    kind: readText(search.kind),
  }),
  component: lazyRouteComponent(() => import("./pages/connect/ConnectPage")),
});

const SEVERITIES = ["critical", "warning", "info"] as const;
const ALARM_STATES = ["pending", "firing", "recovering", "suppressed", "no_data"] as const;

export interface AlarmsSearch {
  severity?: Severity;
  state?: AlarmState;
}

const alarmsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms",
  validateSearch: (search: Record<string, unknown>): AlarmsSearch => ({
    severity: readOneOf(search.severity, SEVERITIES),
    state: readOneOf(search.state, ALARM_STATES),
  }),
  component: lazyRouteComponent(() => import("./pages/alarms/AlarmsPage")),
});

export interface AlarmHistorySearch {
  rule_id?: string;
  severity?: Severity;
  /** Fires still. */
  open?: true;
  sort?: string;
}

const alarmHistoryRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/history",
  validateSearch: (search: Record<string, unknown>): AlarmHistorySearch => ({
    rule_id: readText(search.rule_id),
    severity: readOneOf(search.severity, SEVERITIES),
    open: readFlag(search.open),
    sort: readText(search.sort),
  }),
  component: lazyRouteComponent(() => import("./pages/alarmHistory/AlarmHistoryPage")),
});

export interface AlarmRulesSearch extends ListSearch {
  /** Rules are being taken from a file. */
  import?: true;
}

const alarmRulesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/rules",
  validateSearch: (search: Record<string, unknown>): AlarmRulesSearch => ({
    ...readListSearch(search),
    import: readFlag(search.import),
  }),
  component: lazyRouteComponent(() => import("./pages/alarmRules/AlarmRulesPage")),
});

export interface AlarmRuleSearch {
  /** Of a new rule: what it starts from. */
  template?: string;
}

const alarmRuleRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/rules/$rule",
  validateSearch: (search: Record<string, unknown>): AlarmRuleSearch => ({ template: readText(search.template) }),
  component: lazyRouteComponent(() => import("./pages/alarmRule/AlarmRulePage")),
});

const alarmNotifiersRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/notifiers",
  validateSearch: (search: Record<string, unknown>): { sort?: string } => ({ sort: readText(search.sort) }),
  component: lazyRouteComponent(() => import("./pages/alarmNotifiers/AlarmNotifiersPage")),
});

const alarmNotifierRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/notifiers/$notifier",
  component: lazyRouteComponent(() => import("./pages/alarmNotifier/AlarmNotifierPage")),
});

const dashboardsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/dashboards",
  validateSearch: (search: Record<string, unknown>): ListSearch => readListSearch(search),
  component: lazyRouteComponent(() => import("./pages/dashboards/DashboardsPage")),
});

export interface DashboardSearch {
  edit?: true;
  /** `name=value` of variables. */
  value?: string[];
}

const dashboardRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/dashboards/$id",
  validateSearch: (search: Record<string, unknown>): DashboardSearch => ({
    edit: readFlag(search.edit),
    value: readTexts(search.value),
  }),
  component: lazyRouteComponent(() => import("./pages/dashboard/DashboardPage")),
});

/** Without an account, for whoever has the link. */
const sharedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/shared/$token",
  validateSearch: (search: Record<string, unknown>): RangeSearch => readRangeSearch(search),
  component: lazyRouteComponent(() => import("./pages/shared/SharedPage")),
});

export interface NodejsSearch extends ListSearch {
  app?: string;
  view?: "instances";
}

const nodejsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs",
  validateSearch: (search: Record<string, unknown>): NodejsSearch => ({
    ...readListSearch(search),
    app: readText(search.app),
    view: readOneOf(search.view, ["instances"]),
  }),
  component: lazyRouteComponent(() => import("./pages/nodejs/NodejsPage")),
});

export const INSTANCE_VIEWS = ["processes", "system", "errors", "packages", "cores"] as const;

export interface NodejsInstanceSearch extends ListSearch {
  view?: (typeof INSTANCE_VIEWS)[number];
  /** The chosen file of errors, or package.json. */
  file?: string;
}

const nodejsInstanceRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/$app/$agent",
  validateSearch: (search: Record<string, unknown>): NodejsInstanceSearch => ({
    ...readListSearch(search),
    view: readOneOf(search.view, INSTANCE_VIEWS),
    file: readText(search.file),
  }),
  component: lazyRouteComponent(() => import("./pages/nodejsInstance/NodejsInstancePage")),
});

export interface NodejsProcessSearch {
  /** Of the charts; 0 is the main one. */
  thread?: number;
  /** Seconds of the next profile. */
  duration?: number;
}

const nodejsProcessRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/$app/$agent/$pid",
  validateSearch: (search: Record<string, unknown>): NodejsProcessSearch => ({
    thread: readNumber(search.thread),
    duration: readNumber(search.duration),
  }),
  component: lazyRouteComponent(() => import("./pages/nodejsProcess/NodejsProcessPage")),
});

export interface NodejsFilesSearch {
  app?: string;
  agent?: string;
  pid?: number;
  kind?: NodejsFileKind;
  favourite?: true;
}

const nodejsFilesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/nodejs/files",
  validateSearch: (search: Record<string, unknown>): NodejsFilesSearch => ({
    app: readText(search.app),
    agent: readText(search.agent),
    pid: readNumber(search.pid),
    kind: readOneOf(search.kind, FILE_KINDS),
    favourite: readFlag(search.favourite),
  }),
  component: lazyRouteComponent(() => import("./pages/nodejsFiles/NodejsFilesPage")),
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

const nodejsFileRoute = createRoute({
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
  component: lazyRouteComponent(() => import("./pages/nodejsFile/NodejsFilePage")),
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  sharedRoute,
  insideRoute.addChildren([
    indexRoute,
    overviewRoute,
    serviceRoute,
    mapRoute,
    tracesRoute,
    traceRoute,
    compareRoute,
    statisticsRoute,
    statisticsDayRoute,
    appSettingsRoute,
    namesRoute,
    slowRoute,
    slowGroupRoute,
    errorsRoute,
    errorGroupRoute,
    liveRoute,
    nodesRoute,
    nodeRoute,
    toolsRoute,
    jobRoute,
    nodejsRoute,
    nodejsFilesRoute,
    nodejsFileRoute,
    nodejsInstanceRoute,
    nodejsProcessRoute,
    alarmsRoute,
    alarmHistoryRoute,
    alarmRulesRoute,
    alarmRuleRoute,
    alarmNotifiersRoute,
    alarmNotifierRoute,
    dashboardsRoute,
    dashboardRoute,
    connectRoute,
  ]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch: writeSearch,
    search: { strict: true }, // else what a route's reader dropped would reach the page all the same
    defaultPreload: "intent",
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
