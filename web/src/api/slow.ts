/** Statements and other calls by what they look like, and what a trace does again and again. */

import { queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf } from "./endpoints";
import { request } from "./http";
import type { Findings, SlowPage, SlowReport } from "./slowTypes";

export const CALL_LISTS = ["sql", "cache", "outgoing", "mq"] as const;
export type CallList = (typeof CALL_LISTS)[number];

export const SLOW_ORDERS = ["total", "p95", "max", "count"] as const;
export type SlowOrder = (typeof SLOW_ORDERS)[number];

export interface SlowFilter {
  kind: CallList;
  order: SlowOrder;
  service?: string;
}

const GROUPS = 200;

export const slowQuery = (filter: SlowFilter, range: Range) =>
  queryOptions({
    queryKey: ["slow", filter, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<SlowPage>(addressOf("/slow", { ...filter, ...betweenOf(range), limit: GROUPS }), { signal }),
    refetchInterval: range.refresh_s ? range.refresh_s * 1000 : false,
    // groups of another time are a fair placeholder, those of another kind are not
    placeholderData: (previous, query) =>
      (query?.queryKey[1] as SlowFilter | undefined)?.kind === filter.kind ? previous : undefined,
  });

export const slowGroupQuery = (group: string, service: string | undefined, range: Range) =>
  queryOptions({
    queryKey: ["slowGroup", group, service, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<SlowReport>(addressOf(`/slow/${encodeURIComponent(group)}`, { service, ...betweenOf(range) }), {
        signal,
      }),
    refetchInterval: range.refresh_s ? range.refresh_s * 1000 : false,
    placeholderData: (previous) => (previous?.group.id === group ? previous : undefined),
  });

export const findingsQuery = (traceId: string) =>
  queryOptions({
    queryKey: ["findings", traceId],
    queryFn: ({ signal }) =>
      request<Findings>(addressOf(`/traces/${encodeURIComponent(traceId)}/findings`), { signal }),
  });
