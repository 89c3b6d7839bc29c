import "@mantine/core/styles.css";
import "./theme/base.css";

import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { ApiError } from "./api/http";
import { sessionQuery } from "./api/queries";
import { WordsProvider } from "./i18n";
import { makeRouter } from "./routes";
import { colourSchemeManager } from "./theme/colourScheme";
import { cssVariables, theme } from "./theme/theme";

/** A session that ended while a page was open: back to the login, and from there to the same page. */
function leaveWhenLoggedOut(error: Error): void {
  if (!(error instanceof ApiError) || error.status !== 401) return;
  const { pathname, href } = router.state.location;
  if (pathname === "/login" || queryClient.getQueryData(sessionQuery.queryKey) === undefined) return;
  queryClient.clear();
  void router.navigate({ to: "/login", search: { next: href } });
}

const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: leaveWhenLoggedOut }),
  mutationCache: new MutationCache({ onError: leaveWhenLoggedOut }),
  defaultOptions: {
    queries: {
      // what the server refused it will refuse again
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
      retryDelay: (failures) => 400 * 2 ** failures,
      staleTime: 2000,
      refetchOnWindowFocus: false,
    },
  },
});
const router = makeRouter(queryClient);

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={colourSchemeManager}
      defaultColorScheme="auto"
    >
      <WordsProvider>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </WordsProvider>
    </MantineProvider>
  </StrictMode>,
);
