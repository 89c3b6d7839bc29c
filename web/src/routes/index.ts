/** The addresses of the console. Each page is a chunk of its own; what it shows is all in its address. */

import type { QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { parseSearch, writeSearch } from "../domain/search";
import {
  alarmHistoryRoute,
  alarmNotifierRoute,
  alarmNotifiersRoute,
  alarmRuleRoute,
  alarmRulesRoute,
  alarmsRoute,
} from "./alarms";
import { connectRoute } from "./connect";
import { dashboardRoute, dashboardsRoute, sharedRoute } from "./dashboards";
import { indexRoute, insideRoute, loginRoute, rootRoute } from "./frame";
import { liveRoute } from "./live";
import { nodejsFileRoute, nodejsFilesRoute, nodejsInstanceRoute, nodejsProcessRoute, nodejsRoute } from "./nodejs";
import { nodeRoute, nodesRoute } from "./nodes";
import { errorGroupRoute, errorsRoute, slowGroupRoute, slowRoute } from "./problems";
import { mapRoute, overviewRoute, serviceRoute } from "./services";
import { appSettingsRoute, namesRoute, statisticsDayRoute, statisticsRoute } from "./statistics";
import { tokensRoute } from "./tokens";
import { jobRoute, toolsRoute } from "./tools";
import { compareRoute, traceRoute, tracesRoute } from "./traces";

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
    tokensRoute,
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
