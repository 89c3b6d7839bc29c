/** Hosts: what the pages ask for, with the keys it is cached under. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf, everyPage } from "./endpoints";
import { ApiError, request } from "./http";
import type { HostNode, NodeReport, ProcessHistory, TopProcesses } from "./nodesTypes";

const NODES_EVERY_MS = 10_000;

const nodeAddress = (host: string) => `/nodes/${encodeURIComponent(host)}`;

const refreshed = (range: Range) => (range.refresh_s ? range.refresh_s * 1000 : (false as const));

export const nodesQuery = queryOptions({
  queryKey: ["nodes"],
  queryFn: ({ signal }) => everyPage<HostNode>("/nodes", {}, signal),
  refetchInterval: NODES_EVERY_MS,
});

export const nodeQuery = (host: string, range: Range) =>
  queryOptions({
    queryKey: ["node", host, rangeKey(range)],
    queryFn: ({ signal }) => request<NodeReport>(addressOf(nodeAddress(host), { ...betweenOf(range) }), { signal }),
    refetchInterval: refreshed(range),
    placeholderData: (previous) => (previous?.node.host === host ? previous : undefined),
  });

/** null: no agent of ours has told of the processes of that host near that time. */
export const topQuery = (host: string, range: Range, at: number | undefined) =>
  queryOptions({
    queryKey: ["top", host, rangeKey(range), at],
    queryFn: ({ signal }) =>
      request<TopProcesses>(addressOf(`${nodeAddress(host)}/top`, { ...betweenOf(range), at }), { signal }).catch(
        nothingThere,
      ),
    refetchInterval: at === undefined ? refreshed(range) : false,
    placeholderData: keepPreviousData,
  });

export const processHistoryQuery = (host: string, pid: number, started: number, range: Range) =>
  queryOptions({
    queryKey: ["top", host, pid, started, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<ProcessHistory>(addressOf(`${nodeAddress(host)}/top/${pid}`, { ...betweenOf(range), started }), {
        signal,
      }).catch(nothingThere),
    refetchInterval: refreshed(range),
  });

function nothingThere(error: unknown): null {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
}
