/** What programs ask the API with. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { insideRoute } from "./frame";

export const tokensRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/tokens",
  component: lazyRouteComponent(() => import("../pages/tokens/TokensPage")),
});
