/** The pages of the navigation, with the key that follows `g`. */

import {
  IconActivityHeartbeat,
  IconBell,
  IconBrandNodejs,
  IconBug,
  IconExclamationCircle,
  IconHourglassHigh,
  IconLayoutDashboard,
  IconLayoutGrid,
  IconListSearch,
  IconPlugConnected,
  IconServer2,
  IconTable,
  IconTopologyStar3,
} from "@tabler/icons-react";

import type { Key } from "../i18n/en";

interface Place {
  to:
    | "/services"
    | "/map"
    | "/traces"
    | "/statistics"
    | "/slow"
    | "/errors"
    | "/live"
    | "/nodes"
    | "/nodejs"
    | "/tools"
    | "/alarms"
    | "/dashboards"
    | "/connect";
  label: Key;
  icon: typeof IconLayoutGrid;
  key: string;
}

export const PLACES: readonly Place[] = [
  { to: "/services", label: "nav.overview", icon: IconLayoutGrid, key: "o" },
  { to: "/map", label: "nav.map", icon: IconTopologyStar3, key: "m" },
  { to: "/traces", label: "nav.traces", icon: IconListSearch, key: "t" },
  { to: "/statistics", label: "nav.statistics", icon: IconTable, key: "r" },
  { to: "/slow", label: "nav.slow", icon: IconHourglassHigh, key: "s" },
  { to: "/errors", label: "nav.errors", icon: IconExclamationCircle, key: "e" },
  { to: "/live", label: "nav.live", icon: IconActivityHeartbeat, key: "l" },
  { to: "/nodes", label: "nav.nodes", icon: IconServer2, key: "n" },
  { to: "/nodejs", label: "nav.nodejs", icon: IconBrandNodejs, key: "j" },
  { to: "/tools", label: "nav.tools", icon: IconBug, key: "d" },
  { to: "/alarms", label: "nav.alarms", icon: IconBell, key: "a" },
  { to: "/dashboards", label: "nav.dashboards", icon: IconLayoutDashboard, key: "b" },
  { to: "/connect", label: "nav.connect", icon: IconPlugConnected, key: "c" },
];

/** Pages that ask again by themselves. A list of traces does not: it would run away under the reader's hand. */
export const refreshesItself = (pathname: string) => !/^\/traces/.test(pathname);

/** Pages whose data is of a time range. */
export function hasRange(pathname: string): boolean {
  return !/^\/(live|alarms\/?$|alarms\/(rules|notifiers)|nodes\/?$|nodejs\/?$|nodejs\/files|dashboards\/?$|tools|connect|tokens|statistics\/day|apps\/[^/]+\/settings|traces\/.)/.test(
    pathname,
  );
}
