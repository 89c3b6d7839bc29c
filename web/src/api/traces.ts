/** What a search of traces can ask for, traces like another, and two of them beside each other. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf, api, type Between } from "./endpoints";
import { request } from "./http";
import type { AttributeKey, AttributeValue, Comparison } from "./tracesTypes";
import type { Page } from "./types";

/** They change slowly. */
const FRESH_MS = 60_000;

async function itemsAt<T>(address: string, signal: AbortSignal): Promise<T[]> {
  const { items } = await request<Page<T>>(address, { signal });
  return items;
}

export const attributeKeysQuery = (service: string | undefined, range: Range) =>
  queryOptions({
    queryKey: ["attributeKeys", service, rangeKey(range)],
    queryFn: ({ signal }) =>
      itemsAt<AttributeKey>(addressOf("/traces/attributes", { service, ...betweenOf(range) }), signal),
    staleTime: FRESH_MS,
  });

export const attributeValuesQuery = (key: string, contains: string, service: string | undefined, range: Range) =>
  queryOptions({
    queryKey: ["attributeValues", key, contains, service, rangeKey(range)],
    queryFn: ({ signal }) =>
      itemsAt<AttributeValue>(
        addressOf("/traces/attributes/values", { key, contains, service, ...betweenOf(range) }),
        signal,
      ),
    staleTime: FRESH_MS,
    placeholderData: keepPreviousData,
  });

/** Other requests of an endpoint; `count` of them, the newest. */
export const similarTracesQuery = (service: string, endpoint: string, between: Between, count: number) =>
  queryOptions({
    queryKey: ["similarTraces", service, endpoint, between, count],
    queryFn: ({ signal }) =>
      api.traces({ service, endpoint }, between, count, undefined, signal).then(({ items }) => items),
    staleTime: FRESH_MS,
  });

export const comparisonQuery = (traceId: string, other: string) =>
  queryOptions({
    queryKey: ["comparison", traceId, other],
    queryFn: ({ signal }) =>
      request<Comparison>(addressOf(`/traces/${encodeURIComponent(traceId)}/compare/${encodeURIComponent(other)}`), {
        signal,
      }),
    staleTime: FRESH_MS,
  });
