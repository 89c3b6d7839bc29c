/** The addresses of the API about Node.js processes, and what pages ask of them. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf, type Between, everyPage } from "./endpoints";
import { request } from "./http";
import type {
  NodejsActionWish,
  NodejsConfig,
  NodejsCore,
  NodejsErrorFile,
  NodejsFile,
  NodejsFileKind,
  NodejsInstance,
  NodejsLoggedError,
  NodejsOs,
  NodejsPackage,
  NodejsProcess,
  NodejsProcessName,
  NodejsProcessStatus,
  NodejsSystem,
  NodejsTrend,
} from "./nodejsTypes";
import type { Page } from "./types";

export interface FileFilter {
  app?: string;
  agent?: string;
  pid?: number;
  kind?: NodejsFileKind;
  favourite?: true;
}

type InstanceName = Pick<NodejsProcessName, "app" | "agent">;

const instancePath = ({ app, agent }: InstanceName) =>
  `/nodejs/instances/${encodeURIComponent(app)}/${encodeURIComponent(agent)}`;
const processPath = (name: NodejsProcessName) => `${instancePath(name)}/processes/${name.pid}`;
const filePath = (id: number) => `/nodejs/files/${id}`;

/** Each metric is a parameter of its own. */
function trendAddress(name: NodejsProcessName, metrics: readonly string[], { from, to }: Between): string {
  const asked = metrics.map((metric) => `metric=${encodeURIComponent(metric)}`).join("&");
  return `${addressOf(`${processPath(name)}/trend`, { from, to })}&${asked}`;
}

/** `part` of a core: 0 is the core, 1 its executable. */
export const contentAddress = (id: number, part = 0) =>
  addressOf(`${filePath(id)}/content`, { part: part || undefined });

/** A diagnostic report with its secrets, for admins. */
export const rawAddress = (id: number) => addressOf(`${filePath(id)}/content`, { raw: true });

export const nodejsApi = {
  instances: (signal?: AbortSignal) => everyPage<NodejsInstance>("/nodejs/instances", {}, signal),
  processes: (signal?: AbortSignal) => everyPage<NodejsProcess>("/nodejs/processes", {}, signal),
  processesOf: (name: InstanceName, signal?: AbortSignal) =>
    everyPage<NodejsProcess>(`${instancePath(name)}/processes`, {}, signal),
  trend: (name: NodejsProcessName, metrics: readonly string[], between: Between, signal?: AbortSignal) =>
    request<NodejsTrend>(trendAddress(name, metrics, between), { signal }),
  status: (name: NodejsProcessName, signal?: AbortSignal) =>
    request<NodejsProcessStatus>(addressOf(`${processPath(name)}/status`), { signal }),
  system: (name: InstanceName, between: Between, signal?: AbortSignal) =>
    request<NodejsSystem>(addressOf(`${instancePath(name)}/system`, { ...between }), { signal }),
  os: (name: InstanceName, signal?: AbortSignal) =>
    request<NodejsOs>(addressOf(`${instancePath(name)}/os`), { signal }),
  errorFiles: (name: InstanceName, between: Between, signal?: AbortSignal) =>
    everyPage<NodejsErrorFile>(`${instancePath(name)}/errors`, { ...between }, signal),
  errors: (
    name: InstanceName,
    file: string | undefined,
    between: Between,
    limit: number,
    cursor?: string,
    signal?: AbortSignal,
  ) =>
    request<Page<NodejsLoggedError>>(
      addressOf(`${instancePath(name)}/errors/logs`, { ...between, file, limit, cursor }),
      { signal },
    ),
  packages: (name: InstanceName, signal?: AbortSignal) =>
    everyPage<NodejsPackage>(`${instancePath(name)}/packages`, {}, signal),
  package: (name: InstanceName, file: string, signal?: AbortSignal) =>
    request<NodejsPackage>(addressOf(`${instancePath(name)}/packages/detail`, { file }), { signal }),
  cores: (name: InstanceName, signal?: AbortSignal) => everyPage<NodejsCore>(`${instancePath(name)}/cores`, {}, signal),
  fetchCore: (name: InstanceName, core_path: string) =>
    request<NodejsFile>(addressOf(`${instancePath(name)}/cores/transfer`), { method: "POST", body: { core_path } }),

  act: (name: NodejsProcessName, body: NodejsActionWish) =>
    request<NodejsFile>(addressOf(`${processPath(name)}/actions`), { method: "POST", body }),
  config: (name: NodejsProcessName, signal?: AbortSignal) =>
    request<NodejsConfig>(addressOf(`${processPath(name)}/config`), { signal }),
  configure: (name: NodejsProcessName, config: Record<string, boolean | number>) =>
    request<NodejsConfig>(addressOf(`${processPath(name)}/config`), { method: "POST", body: { config } }),

  files: (filter: FileFilter, limit: number, cursor?: string, signal?: AbortSignal) =>
    request<Page<NodejsFile>>(addressOf("/nodejs/files", { ...filter, limit, cursor }), { signal }),
  file: (id: number, signal?: AbortSignal) => request<NodejsFile>(addressOf(filePath(id)), { signal }),
  transfer: (id: number) => request<NodejsFile>(addressOf(`${filePath(id)}/transfer`), { method: "POST" }),
  mark: (id: number, body: Partial<Pick<NodejsFile, "favourite" | "note">>) =>
    request<NodejsFile>(addressOf(filePath(id)), { method: "PATCH", body }),
  deleteFile: (id: number) => request<void>(addressOf(filePath(id)), { method: "DELETE" }),
  content: <T>(id: number, signal?: AbortSignal) => request<T>(contentAddress(id), { signal }),
};

/** Agents report each minute: asking more often shows nothing new. */
const LISTS_EVERY_MS = 10_000;
/** This list is asked of the agent, which starts a program of its own for it. */
const ASKED_EVERY_MS = 60_000;
const FILES_EVERY_MS = 10_000;
const MOVING_EVERY_MS = 1000;
export const FILES_PER_PAGE = 100;
export const ERRORS_PER_PAGE = 50;

export const nodejsInstancesQuery = queryOptions({
  queryKey: ["nodejs", "instances"],
  queryFn: ({ signal }) => nodejsApi.instances(signal),
  refetchInterval: LISTS_EVERY_MS,
});

export const nodejsProcessesQuery = queryOptions({
  queryKey: ["nodejs", "processes"],
  queryFn: ({ signal }) => nodejsApi.processes(signal),
  refetchInterval: LISTS_EVERY_MS,
});

export const nodejsProcessesOfQuery = (name: InstanceName) =>
  queryOptions({
    queryKey: ["nodejs", "processes", name.app, name.agent],
    queryFn: ({ signal }) => nodejsApi.processesOf(name, signal),
    refetchInterval: ASKED_EVERY_MS,
    staleTime: 20_000,
  });

const everyRefresh = (range: Range) => (range.refresh_s ? Math.max(LISTS_EVERY_MS, range.refresh_s * 1000) : false);

export const nodejsTrendQuery = (name: NodejsProcessName, metrics: readonly string[], range: Range) =>
  queryOptions({
    queryKey: ["nodejs", "trend", name.app, name.agent, name.pid, rangeKey(range), metrics],
    queryFn: ({ signal }) => nodejsApi.trend(name, metrics, betweenOf(range), signal),
    refetchInterval: everyRefresh(range),
    placeholderData: (previous) => (previous?.pid === name.pid ? previous : undefined),
  });

export const nodejsSystemQuery = (name: InstanceName, range: Range) =>
  queryOptions({
    queryKey: ["nodejs", "system", name.app, name.agent, rangeKey(range)],
    queryFn: ({ signal }) => nodejsApi.system(name, betweenOf(range), signal),
    refetchInterval: everyRefresh(range),
    placeholderData: (previous) => (previous?.agent === name.agent ? previous : undefined),
  });

/** What is asked of the agent itself: once, unless the reader asks again. */
const asked = { staleTime: 5 * 60_000, retry: false } as const;

export const nodejsOsQuery = (name: InstanceName) =>
  queryOptions({
    queryKey: ["nodejs", "os", name.app, name.agent],
    queryFn: ({ signal }) => nodejsApi.os(name, signal),
    ...asked,
  });

export const nodejsStatusQuery = (name: NodejsProcessName) =>
  queryOptions({
    queryKey: ["nodejs", "status", name.app, name.agent, name.pid],
    queryFn: ({ signal }) => nodejsApi.status(name, signal),
    ...asked,
  });

export const nodejsConfigQuery = (name: NodejsProcessName) =>
  queryOptions({
    queryKey: ["nodejs", "config", name.app, name.agent, name.pid],
    queryFn: ({ signal }) => nodejsApi.config(name, signal),
    ...asked,
  });

export const nodejsErrorFilesQuery = (name: InstanceName, range: Range) =>
  queryOptions({
    queryKey: ["nodejs", "errorFiles", name.app, name.agent, rangeKey(range)],
    queryFn: ({ signal }) => nodejsApi.errorFiles(name, betweenOf(range), signal),
    refetchInterval: everyRefresh(range),
    placeholderData: keepPreviousData,
  });

export const nodejsErrorsQuery = (name: InstanceName, file: string | undefined, range: Range) =>
  infiniteQueryOptions({
    queryKey: ["nodejs", "errors", name.app, name.agent, file, rangeKey(range)],
    queryFn: ({ pageParam, signal }) => {
      // the pages of one list are cut from one moment
      const between = pageParam ? pageParam.between : betweenOf(range);
      return nodejsApi
        .errors(name, file, between, ERRORS_PER_PAGE, pageParam?.cursor, signal)
        .then((page) => ({ ...page, between }));
    },
    initialPageParam: null as null | { cursor: string; between: Between },
    getNextPageParam: (page) => (page.next ? { cursor: page.next, between: page.between } : undefined),
    placeholderData: keepPreviousData,
  });

export const nodejsPackagesQuery = (name: InstanceName) =>
  queryOptions({
    queryKey: ["nodejs", "packages", name.app, name.agent],
    queryFn: ({ signal }) => nodejsApi.packages(name, signal),
    staleTime: 60_000,
  });

export const nodejsPackageQuery = (name: InstanceName, file: string) =>
  queryOptions({
    queryKey: ["nodejs", "package", name.app, name.agent, file],
    queryFn: ({ signal }) => nodejsApi.package(name, file, signal),
    staleTime: 60_000,
  });

export const nodejsCoresQuery = (name: InstanceName) =>
  queryOptions({
    queryKey: ["nodejs", "cores", name.app, name.agent],
    queryFn: ({ signal }) => nodejsApi.cores(name, signal),
    refetchInterval: ASKED_EVERY_MS,
  });

/** Something will become of it without anybody's doing. */
export const isMoving = ({ state, running }: Pick<NodejsFile, "state" | "running">) =>
  running || state === "creating" || state === "transferring";

export const nodejsFilesQuery = (filter: FileFilter) =>
  infiniteQueryOptions({
    queryKey: ["nodejs", "files", filter],
    queryFn: ({ pageParam, signal }) => nodejsApi.files(filter, FILES_PER_PAGE, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => {
      const pages = state.data?.pages ?? [];
      // whoever has gone on to older files is not brought back by younger ones
      if (pages.length > 1) return false;
      return pages.some(({ items }) => items.some(isMoving)) ? MOVING_EVERY_MS : FILES_EVERY_MS;
    },
  });

export const nodejsFileQuery = (id: number) =>
  queryOptions({
    queryKey: ["nodejs", "file", id],
    queryFn: ({ signal }) => nodejsApi.file(id, signal),
    refetchInterval: ({ state }) => (state.data && !isMoving(state.data) ? FILES_EVERY_MS : MOVING_EVERY_MS),
  });

/** `stored`: a file that is fetched again is another one. */
export const nodejsContentQuery = <T>(id: number, stored: string | null) =>
  queryOptions({
    queryKey: ["nodejs", "content", id, stored],
    queryFn: ({ signal }) => nodejsApi.content<T>(id, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    structuralSharing: false,
  });
