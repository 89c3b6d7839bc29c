/** Failures by type and place, and when services were deployed and restarted. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf } from "./endpoints";
import type { DeployMark, ErrorPage, ErrorReport } from "./errorsTypes";
import { request } from "./http";
import type { Page } from "./types";

export const ERROR_ORDERS = ["times", "newest", "first"] as const;
export type ErrorOrder = (typeof ERROR_ORDERS)[number];

const GROUPS = 200;

const everySoOften = (range: Range) => (range.refresh_s ? range.refresh_s * 1000 : (false as const));

export const errorsQuery = (service: string | undefined, order: ErrorOrder, range: Range) =>
  queryOptions({
    queryKey: ["errors", service, order, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<ErrorPage>(addressOf("/errors", { service, order, ...betweenOf(range), limit: GROUPS }), { signal }),
    refetchInterval: everySoOften(range),
    placeholderData: keepPreviousData,
  });

export const errorGroupQuery = (group: string, service: string | undefined, range: Range) =>
  queryOptions({
    queryKey: ["errorGroup", group, service, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<ErrorReport>(addressOf(`/errors/${encodeURIComponent(group)}`, { service, ...betweenOf(range) }), {
        signal,
      }),
    refetchInterval: everySoOften(range),
    placeholderData: (previous) => (previous?.group.id === group ? previous : undefined),
  });

export const deploysQuery = (service: string, range: Range) =>
  queryOptions({
    queryKey: ["deploys", service, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<Page<DeployMark>>(addressOf("/deploys", { service, ...betweenOf(range) }), { signal }).then(
        ({ items }) => items,
      ),
    refetchInterval: everySoOften(range),
    placeholderData: (previous, query) => (query?.queryKey[1] === service ? previous : undefined),
  });
