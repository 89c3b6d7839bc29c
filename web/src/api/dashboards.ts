/** The addresses of the API about dashboards, and what pages ask of them. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import type { Language } from "../i18n";
import type {
  Dashboard,
  DashboardDocument,
  DashboardRow,
  NewShare,
  Panel,
  PanelData,
  Share,
  SharedDashboard,
} from "./dashboardsTypes";
import { addressOf, everyPage } from "./endpoints";
import { request } from "./http";

export type Values = Record<string, string>;

const pathOf = (id: string) => `/dashboards/${encodeURIComponent(id)}`;
const sharedPath = (token: string) => `/shared/${encodeURIComponent(token)}`;

export const dashboardsApi = {
  create: (app: string, document: DashboardDocument) =>
    request<Dashboard>(addressOf("/dashboards"), { method: "POST", body: { app, document } }),
  save: (id: string, version: number, document: DashboardDocument) =>
    request<Dashboard>(addressOf(pathOf(id)), { method: "PUT", body: { version, document } }),
  remove: (id: string) => request<void>(addressOf(pathOf(id)), { method: "DELETE" }),
  share: (id: string, values: Values, expires_at: string | null) =>
    request<NewShare>(addressOf(`${pathOf(id)}/shares`), { method: "POST", body: { values, expires_at } }),
  revoke: (id: string, share: string) =>
    request<void>(addressOf(`${pathOf(id)}/shares/${encodeURIComponent(share)}`), { method: "DELETE" }),
};

/** Begins the keys of all lists. */
export const DASHBOARDS = ["dashboards"] as const;

/** Those that come with Sonde are in that language. */
export const dashboardsQuery = (language: Language) =>
  queryOptions({
    queryKey: [...DASHBOARDS, language],
    queryFn: ({ signal }) => everyPage<DashboardRow>("/dashboards", { language }, signal),
  });

export const dashboardQuery = (id: string, language: Language) =>
  queryOptions({
    queryKey: ["dashboard", id, language],
    queryFn: ({ signal }) => request<Dashboard>(addressOf(pathOf(id), { language }), { signal }),
  });

export const sharesQuery = (id: string) =>
  queryOptions({
    queryKey: ["dashboard", id, "shares"],
    queryFn: ({ signal }) => everyPage<Share>(`${pathOf(id)}/shares`, {}, signal),
  });

export const sharedQuery = (token: string) =>
  queryOptions({
    queryKey: ["shared", token],
    queryFn: ({ signal }) => request<SharedDashboard>(addressOf(sharedPath(token)), { signal }),
  });

/** What a panel shows. It is asked as it stands, so that one under edit shows what it would show once it is kept. */
export const panelQuery = (panel: Panel, app: string | null, values: Values, range: Range) =>
  queryOptions({
    queryKey: ["panel", panel.queries, panel.kind, app, values, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<PanelData>(addressOf("/dashboards/panel"), {
        method: "POST",
        body: { panel, app, values, ...betweenOf(range) },
        signal,
      }),
    refetchInterval: range.refresh_s ? range.refresh_s * 1000 : (false as const),
    placeholderData: keepPreviousData,
  });

export const sharedPanelQuery = (token: string, panel: string, range: Range) =>
  queryOptions({
    queryKey: ["shared", token, panel, rangeKey(range)],
    queryFn: ({ signal }) =>
      request<PanelData>(
        addressOf(`${sharedPath(token)}/panels/${encodeURIComponent(panel)}`, { ...betweenOf(range) }),
        { signal },
      ),
    refetchInterval: range.refresh_s ? range.refresh_s * 1000 : (false as const),
    placeholderData: keepPreviousData,
  });
