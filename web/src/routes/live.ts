/** What happens now. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { readFlag, readNumber, readText } from "../domain/search";
import { insideRoute } from "./frame";

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

export const liveRoute = createRoute({
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
  component: lazyRouteComponent(() => import("../pages/live/LivePage")),
});
