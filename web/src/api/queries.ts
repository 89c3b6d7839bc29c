/** What the pages ask for, with the keys it is cached under. Relative ranges are resolved at each request. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { api, type Between, type JobFilter, type ProcessFilter, type TraceFilter } from "./endpoints";
import { setCsrfToken } from "./http";
import type { Job } from "./types";

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

export const momentsQuery = (traceId: string) =>
  queryOptions({ queryKey: ["moments", traceId], queryFn: ({ signal }) => api.moments(traceId, signal) });

export const runtimeQuery = (service: string, range: Range) =>
  queryOptions({
    queryKey: ["runtime", service, rangeKey(range)],
    queryFn: ({ signal }) => api.runtime(service, betweenOf(range), signal),
    refetchInterval: refreshed(range).refetchInterval,
    placeholderData: (previous) => (previous?.service === service ? previous : undefined),
  });

/** For the names of the apps; what belongs to one has its id. */
export const appsQuery = queryOptions({
  queryKey: ["apps"],
  queryFn: ({ signal }) => api.apps(signal),
  staleTime: 60_000,
});

export const connectPortsQuery = queryOptions({
  queryKey: ["connectPorts"],
  queryFn: ({ signal }) => api.connectPorts(signal),
});

export const connectHintsQuery = queryOptions({
  queryKey: ["connectHints"],
  queryFn: ({ signal }) => api.connectHints(signal),
  refetchInterval: 5000,
});

/** What came from an app since then (epoch milliseconds). */
export const arrivalsQuery = (app: string, since: number) =>
  queryOptions({
    queryKey: ["arrivals", app, since],
    queryFn: ({ signal }) => api.arrivals(app, since, signal),
    refetchInterval: 2000,
  });

/** The tools there are change with the server's version alone. */
export const toolsQuery = queryOptions({
  queryKey: ["tools"],
  queryFn: ({ signal }) => api.tools(signal),
  staleTime: Number.POSITIVE_INFINITY,
});

const PROCESSES_EVERY_MS = 5000;

export const processesQuery = (filter: ProcessFilter = {}) =>
  queryOptions({
    queryKey: ["processes", filter],
    queryFn: ({ signal }) => api.processes(filter, signal),
    refetchInterval: PROCESSES_EVERY_MS,
  });

export const JOBS_PER_PAGE = 50;
const JOBS_EVERY_MS = 5000;

export const jobsQuery = (filter: JobFilter) =>
  infiniteQueryOptions({
    queryKey: ["jobs", filter],
    queryFn: ({ pageParam, signal }) => api.jobs(filter, {}, JOBS_PER_PAGE, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    // whoever has gone on to older runs is not brought back by younger ones
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) === 1 ? JOBS_EVERY_MS : false),
  });

/** The runs of some processes in a time, newest first: the first page says enough. */
export const jobsBetweenQuery = (filter: JobFilter, between: Between) =>
  queryOptions({
    queryKey: ["jobs", filter, between],
    queryFn: ({ signal }) => api.jobs(filter, between, JOBS_PER_PAGE, undefined, signal).then(({ items }) => items),
  });

export const hasEnded = ({ state }: Pick<Job, "state">) => state !== "waiting" && state !== "running";

const JOB_EVERY_MS = 1000;

/** `streamed`: changes arrive by themselves, see useJob. */
export const jobQuery = (id: string, streamed = false) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) => api.job(id, signal),
    refetchInterval: ({ state }) => (streamed || (state.data && hasEnded(state.data)) ? false : JOB_EVERY_MS),
  });

/** A file of a run that has ended: it never changes. */
export const artifactQuery = <T>(id: string, name: string) =>
  queryOptions({
    queryKey: ["artifact", id, name],
    queryFn: ({ signal }) => api.artifact<T>(id, name, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    structuralSharing: false,
  });
