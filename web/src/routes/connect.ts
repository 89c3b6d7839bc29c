/** How an application is connected. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { readText } from "../domain/search";
import { insideRoute } from "./frame";

export interface ConnectSearch {
  /** Id of the app that the data shall belong to. */
  app?: string;
  /** Which kind of client. */
  kind?: string;
}

export const connectRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/connect",
  validateSearch: (search: Record<string, unknown>): ConnectSearch => ({
    app: readText(search.app),
    kind: readText(search.kind),
  }),
  component: lazyRouteComponent(() => import("../pages/connect/ConnectPage")),
});
