/** The addresses of the API about alarms, and what pages ask of them. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import { betweenOf, type Range, rangeKey } from "../domain/range";
import type { Language } from "../i18n";
import type {
  Alarm,
  AlarmBacktest,
  AlarmDelivery,
  AlarmImport,
  AlarmImportWish,
  AlarmInterval,
  AlarmNotifier,
  AlarmNotifierDocument,
  AlarmNotifierTest,
  AlarmPreview,
  AlarmRule,
  AlarmRuleDocument,
  AlarmSilence,
  AlarmSilenceWish,
  AlarmSummary,
  AlarmTemplate,
  Severity,
} from "./alarmsTypes";
import { addressOf, type Between, everyPage } from "./endpoints";
import { request } from "./http";
import type { Page } from "./types";

const ROOT = "/alarms";
const rulePath = (id: string) => `${ROOT}/rules/${encodeURIComponent(id)}`;
const notifierPath = (id: string) => `${ROOT}/notifiers/${encodeURIComponent(id)}`;
const acknowledgement = (id: string) => addressOf(`${ROOT}/${encodeURIComponent(id)}/acknowledgement`);

/** What fires is judged every 30 s. */
const AGAIN_MS = 10_000;

export const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];

export const alarmsApi = {
  acknowledge: (id: string, note: string) =>
    request<AlarmInterval>(acknowledgement(id), { method: "POST", body: { note } }),
  takeBack: (id: string) => request<AlarmInterval>(acknowledgement(id), { method: "DELETE" }),
  silence: (wish: AlarmSilenceWish) =>
    request<AlarmSilence>(addressOf(`${ROOT}/silences`), { method: "POST", body: wish }),
  endSilence: (id: string) =>
    request<void>(addressOf(`${ROOT}/silences/${encodeURIComponent(id)}`), { method: "DELETE" }),

  addRule: (app: string, rule: AlarmRuleDocument) =>
    request<AlarmRule>(addressOf(`${ROOT}/rules`), { method: "POST", body: { app, rule } }),
  changeRule: (id: string, app: string, rule: AlarmRuleDocument) =>
    request<AlarmRule>(addressOf(rulePath(id)), { method: "PUT", body: { app, rule } }),
  removeRule: (id: string) => request<void>(addressOf(rulePath(id)), { method: "DELETE" }),
  backtest: (app: string, rule: AlarmRuleDocument, days: number) =>
    request<AlarmBacktest>(addressOf(`${ROOT}/backtest`), { method: "POST", body: { app, rule, days } }),
  importRules: (wish: AlarmImportWish) =>
    request<AlarmImport>(addressOf(`${ROOT}/rules/import`), { method: "POST", body: wish }),

  addNotifier: (app: string, notifier: AlarmNotifierDocument) =>
    request<AlarmNotifier>(addressOf(`${ROOT}/notifiers`), { method: "POST", body: { app, notifier } }),
  changeNotifier: (id: string, app: string, notifier: AlarmNotifierDocument) =>
    request<AlarmNotifier>(addressOf(notifierPath(id)), { method: "PUT", body: { app, notifier } }),
  removeNotifier: (id: string) => request<void>(addressOf(notifierPath(id)), { method: "DELETE" }),
  preview: (app: string, notifier: AlarmNotifierDocument) =>
    request<AlarmPreview>(addressOf(`${ROOT}/notifiers/preview`), { method: "POST", body: { app, notifier } }),
  test: (id: string) => request<AlarmNotifierTest>(addressOf(`${notifierPath(id)}/test`), { method: "POST" }),
};

export const exportRulesAddress = (app: string) => addressOf(`${ROOT}/rules/export`, { app });

export const alarmsQuery = queryOptions({
  queryKey: ["alarms", "now"],
  queryFn: ({ signal }) => everyPage<Alarm>(ROOT, {}, signal),
  refetchInterval: AGAIN_MS,
});

export const alarmSummaryQuery = queryOptions({
  queryKey: ["alarms", "summary"],
  queryFn: ({ signal }) => request<AlarmSummary>(addressOf(`${ROOT}/summary`), { signal }),
  refetchInterval: AGAIN_MS,
});

export const silencesQuery = queryOptions({
  queryKey: ["alarms", "silences"],
  queryFn: ({ signal }) => everyPage<AlarmSilence>(`${ROOT}/silences`, {}, signal),
  refetchInterval: AGAIN_MS,
});

export interface HistoryFilter {
  rule_id?: string;
  severity?: Severity;
  /** Fires still. */
  open?: true;
}

export interface AlarmHistory extends Between {
  intervals: AlarmInterval[];
}

/** What fired in a time, newest first, with the time itself: its picture is drawn over all of it. */
export const alarmHistoryQuery = (filter: HistoryFilter, range: Range) =>
  queryOptions({
    queryKey: ["alarms", "history", filter, rangeKey(range)],
    queryFn: async ({ signal }): Promise<AlarmHistory> => {
      const between = betweenOf(range);
      const intervals = await everyPage<AlarmInterval>(
        `${ROOT}/history`,
        { ...filter, ...between, limit: 500 },
        signal,
      );
      return { ...between, intervals };
    },
    refetchInterval: range.refresh_s ? range.refresh_s * 1000 : (false as const),
    placeholderData: keepPreviousData,
  });

export const rulesQuery = queryOptions({
  queryKey: ["alarms", "rules"],
  queryFn: ({ signal }) => everyPage<AlarmRule>(`${ROOT}/rules`, {}, signal),
});

export const ruleQuery = (id: string) =>
  queryOptions({
    queryKey: ["alarms", "rule", id],
    queryFn: ({ signal }) => request<AlarmRule>(addressOf(rulePath(id)), { signal }),
  });

export const templatesQuery = (language: Language) =>
  queryOptions({
    queryKey: ["alarms", "templates", language],
    queryFn: ({ signal }) => everyPage<AlarmTemplate>(`${ROOT}/templates`, { language }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const notifiersQuery = queryOptions({
  queryKey: ["alarms", "notifiers"],
  queryFn: ({ signal }) => everyPage<AlarmNotifier>(`${ROOT}/notifiers`, {}, signal),
});

export const notifierQuery = (id: string) =>
  queryOptions({
    queryKey: ["alarms", "notifier", id],
    queryFn: ({ signal }) => request<AlarmNotifier>(addressOf(notifierPath(id)), { signal }),
  });

const DELIVERIES = 100;

export const deliveriesQuery = (notifier_id?: string) =>
  infiniteQueryOptions({
    queryKey: ["alarms", "deliveries", notifier_id],
    queryFn: ({ pageParam, signal }) =>
      request<Page<AlarmDelivery>>(
        addressOf(`${ROOT}/deliveries`, { notifier_id, limit: DELIVERIES, cursor: pageParam }),
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  });
