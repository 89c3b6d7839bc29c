/** The map as it was: how much went on at each step of a range, and the map of one step. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf, api } from "./endpoints";
import { request } from "./http";
import type { MapHistory } from "./mapTypes";

const STEPS = 120;

export const mapHistoryQuery = (range: Range) =>
  queryOptions({
    queryKey: ["mapHistory", rangeKey(range)],
    queryFn: ({ signal }) =>
      request<MapHistory>(addressOf("/map/history", { ...betweenOf(range), points: STEPS }), { signal }),
    refetchInterval: range.refresh_s ? range.refresh_s * 1000 : false,
    placeholderData: keepPreviousData,
  });

/** The map of one step; `at`: its start, epoch ms. */
export const mapAtQuery = (at: number | undefined, step_s: number) =>
  queryOptions({
    queryKey: ["mapAt", at, step_s],
    queryFn: ({ signal }) => api.map({ from: at as number, to: (at as number) + step_s * 1000 }, signal),
    enabled: at !== undefined && step_s > 0,
    placeholderData: keepPreviousData,
  });
