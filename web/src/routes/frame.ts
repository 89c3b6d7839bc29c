/** What every page stands in: the way in, and the frame with menu and time. */

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { ApiError } from "../api/http";
import { sessionQuery } from "../api/queries";
import { type RangeSearch, readRangeSearch } from "../domain/range";
import { readText } from "../domain/search";
import { NotFoundPage } from "../pages/notFound/NotFoundPage";
import { PageFailure } from "../shell/PageFailure";
import { Shell } from "../shell/Shell";

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: readText(search.next) }),
  component: lazyRouteComponent(() => import("../pages/login/LoginPage")),
});

export const insideRoute = createRoute({
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

export const indexRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/services", search: true, replace: true });
  },
});
