/** Statistics, days, settings of apps and rules about names. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import { addressOf, everyPage } from "./endpoints";
import { request } from "./http";
import type {
  AppSettings,
  By,
  Compare,
  NamePreview,
  NameRule,
  RuleKind,
  Statistics,
  StatisticsDay,
  StatisticsHistogram,
  StatisticsTop,
} from "./statisticsTypes";

/** Figures by which the server puts rows in order. */
export const STATISTICS_ORDERS = [
  "requests",
  "errors",
  "error_rate",
  "average",
  "max",
  "p50",
  "p90",
  "p95",
  "p99",
  "name",
] as const;
export type StatisticsOrder = (typeof STATISTICS_ORDERS)[number];

/** What the requests of a report must be. */
export interface StatisticsFilter {
  app?: string;
  service?: string;
  endpoint?: string;
  instance?: string;
  kind?: string;
  status?: string;
}

export interface StatisticsAsked extends StatisticsFilter {
  by: By;
  order: StatisticsOrder;
  compare: Compare;
}

const ROWS = 500;
/** As many as one answer takes. */
const EXPORTED_ROWS = 1000;

const refetched = (range: Range) => (range.refresh_s ? range.refresh_s * 1000 : (false as const));

export const statisticsQuery = (asked: StatisticsAsked, range: Range) =>
  queryOptions({
    queryKey: ["statistics", asked, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<Statistics>(addressOf("/statistics", { ...asked, ...betweenOf(range), limit: ROWS }), { signal }),
    refetchInterval: refetched(range),
    // rows of another time are a fair placeholder, rows of other things are not
    placeholderData: (previous) => (previous?.by === asked.by ? previous : undefined),
  });

/** Of a span of time between two moments, in epoch milliseconds. */
export const exportOf = (asked: StatisticsAsked, range: Range, format: "csv" | "json") =>
  addressOf("/statistics", { ...asked, ...betweenOf(range), limit: EXPORTED_ROWS, format });

export const histogramQuery = (filter: StatisticsFilter, range: Range) =>
  queryOptions({
    queryKey: ["statisticsHistogram", filter, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<StatisticsHistogram>(addressOf("/statistics/histogram", { ...filter, ...betweenOf(range) }), { signal }),
    refetchInterval: refetched(range),
    placeholderData: keepPreviousData,
  });

export const topQuery = (filter: StatisticsFilter, range: Range) =>
  queryOptions({
    queryKey: ["statisticsTop", filter, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<StatisticsTop>(addressOf("/statistics/top", { ...filter, ...betweenOf(range), limit: 10 }), { signal }),
    refetchInterval: refetched(range),
    placeholderData: keepPreviousData,
  });

const DAY_EVERY_MS = 60_000;

/** `date` as 2026-11-21; without it, today at the place of the app. */
export const dayQuery = (app: string, service: string | undefined, date: string | undefined) =>
  queryOptions({
    queryKey: ["statisticsDay", app, service, date],
    queryFn: ({ signal }) => request<StatisticsDay>(addressOf("/statistics/day", { app, service, date }), { signal }),
    refetchInterval: DAY_EVERY_MS,
  });

/** The services of an app between two moments (epoch ms), the busiest first. */
export const busiestQuery = (app: string, from: number, to: number, limit: number) =>
  queryOptions({
    queryKey: ["statisticsBusiest", app, from, to],
    queryFn: ({ signal }) =>
      request<Statistics>(addressOf("/statistics", { app, from, to, by: "service", limit }), { signal }),
  });

const DAY_MS = 86_400_000;

/** The app of the busiest service of the last day: null where there was no request. */
export const busiestAppQuery = queryOptions({
  queryKey: ["statisticsBusiestApp"],
  queryFn: async ({ signal }) => {
    const between = { from: Date.now() - DAY_MS, to: Date.now() };
    const { items } = await request<Statistics>(addressOf("/statistics", { ...between, by: "service", limit: 1 }), {
      signal,
    });
    return items[0]?.app ?? null;
  },
});

const appPath = (app: string) => `/apps/${encodeURIComponent(app)}`;

export const appSettingsQuery = (app: string) =>
  queryOptions({
    queryKey: ["appSettings", app],
    queryFn: ({ signal }) => request<AppSettings>(addressOf(`${appPath(app)}/settings`), { signal }),
  });

/** null: as the server is configured. */
export type SettingsWish = Pick<AppSettings, "time_zone" | "normal_ms" | "slow_ms" | "timeout_ms" | "late_max_s"> & {
  apdex_t_ms: number | null;
};

export const namesQuery = (app: string) =>
  queryOptions({
    queryKey: ["names", app],
    queryFn: ({ signal }) => everyPage<NameRule>(`${appPath(app)}/names`, {}, signal),
  });

/** What a kind of rule has no use for is left out. */
export interface NamesWish {
  kind: RuleKind;
  service?: string;
  pattern?: string;
  name?: string;
  target_app?: string;
}

const rulePath = (app: string, id: string) => `${appPath(app)}/names/${encodeURIComponent(id)}`;

export const statisticsApi = {
  saySettings: (app: string, body: SettingsWish) =>
    request<AppSettings>(addressOf(`${appPath(app)}/settings`), { method: "PUT", body }),
  addName: (app: string, body: NamesWish) =>
    request<NameRule>(addressOf(`${appPath(app)}/names`), { method: "POST", body }),
  changeName: (app: string, id: string, body: NamesWish) =>
    request<NameRule>(addressOf(rulePath(app, id)), { method: "PUT", body }),
  dropName: (app: string, id: string) => request<void>(addressOf(rulePath(app, id)), { method: "DELETE" }),
  previewName: (app: string, body: NamesWish, range: Range) =>
    request<NamePreview>(addressOf(`${appPath(app)}/names/preview`, { ...betweenOf(range) }), { method: "POST", body }),
};
