/** What the pages ask for, with the keys it is cached under. Relative ranges are resolved at each request. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { api, type TraceFilter } from "./endpoints";
import { setCsrfToken } from "./http";

export const TRACES_PER_PAGE = 200;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    const session = await api.session();
    setCsrfToken(session.csrf);
    return session;
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

const refreshed = (range: Range) => ({
  refetchInterval: range.refresh_s ? range.refresh_s * 1000 : (false as const),
  placeholderData: keepPreviousData,
});

export const servicesQuery = (range: Range) =>
  queryOptions({
    queryKey: ["services", rangeKey(range)],
    queryFn: ({ signal }) => api.services(betweenOf(range), signal),
    ...refreshed(range),
  });

export const serviceQuery = (name: string, app: string | undefined, range: Range) =>
  queryOptions({
    queryKey: ["service", name, app, rangeKey(range)],
    queryFn: ({ signal }) => api.service(name, app, betweenOf(range), signal),
    refetchInterval: refreshed(range).refetchInterval,
    // figures of another time are a fair placeholder, figures of another service are not
    placeholderData: (previous) => (previous?.service === name ? previous : undefined),
  });

export const samplingQuery = (app: string, service: string) =>
  queryOptions({
    queryKey: ["sampling", app, service],
    queryFn: ({ signal }) => api.sampling(app, service, signal),
  });

export const mapQuery = (range: Range) =>
  queryOptions({
    queryKey: ["map", rangeKey(range)],
    queryFn: ({ signal }) => api.map(betweenOf(range), signal),
    ...refreshed(range),
  });

export const tracesQuery = (filter: TraceFilter, range: Range) =>
  infiniteQueryOptions({
    queryKey: ["traces", filter, rangeKey(range)],
    queryFn: ({ pageParam, signal }) => {
      // the pages of one list are cut from one moment
      const between = pageParam ? pageParam.between : betweenOf(range);
      return api
        .traces(filter, between, TRACES_PER_PAGE, pageParam?.cursor, signal)
        .then((page) => ({ ...page, between }));
    },
    initialPageParam: null as null | { cursor: string; between: { from: number; to: number } },
    getNextPageParam: (page) => (page.next ? { cursor: page.next, between: page.between } : undefined),
    placeholderData: keepPreviousData,
  });

export const traceQuery = (traceId: string) =>
  queryOptions({ queryKey: ["trace", traceId], queryFn: ({ signal }) => api.trace(traceId, signal) });

export const LIVE_EVERY_MS = 1000;

export const liveQuery = (paused: boolean) =>
  queryOptions({
    queryKey: ["live"],
    queryFn: ({ signal }) => api.live(signal),
    refetchInterval: paused ? false : LIVE_EVERY_MS,
    enabled: !paused,
    structuralSharing: false,
  });

export const runtimeQuery = (service: string, range: Range) =>
  queryOptions({
    queryKey: ["runtime", service, rangeKey(range)],
    queryFn: ({ signal }) => api.runtime(service, betweenOf(range), signal),
    refetchInterval: refreshed(range).refetchInterval,
    placeholderData: (previous) => (previous?.service === service ? previous : undefined),
  });

export const NODES_EVERY_MS = 10_000;

export const nodesQuery = queryOptions({
  queryKey: ["nodes"],
  queryFn: ({ signal }) => api.nodes(signal),
  refetchInterval: NODES_EVERY_MS,
});

export const nodeQuery = (host: string, range: Range) =>
  queryOptions({
    queryKey: ["node", host, rangeKey(range)],
    queryFn: ({ signal }) => api.node(host, betweenOf(range), signal),
    refetchInterval: refreshed(range).refetchInterval,
    placeholderData: (previous) => (previous?.node.host === host ? previous : undefined),
  });
