/** Alarms, their rules, and who is told. */

import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import type { AlarmState, Severity } from "../api/alarmsTypes";
import { readFlag, readOneOf, readText } from "../domain/search";
import { insideRoute } from "./frame";
import { type ListSearch, readListSearch } from "./lists";

const SEVERITIES = ["critical", "warning", "info"] as const;

const ALARM_STATES = ["pending", "firing", "recovering", "suppressed", "no_data"] as const;

export interface AlarmsSearch {
  severity?: Severity;
  state?: AlarmState;
}

export const alarmsRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms",
  validateSearch: (search: Record<string, unknown>): AlarmsSearch => ({
    severity: readOneOf(search.severity, SEVERITIES),
    state: readOneOf(search.state, ALARM_STATES),
  }),
  component: lazyRouteComponent(() => import("../pages/alarms/AlarmsPage")),
});

export interface AlarmHistorySearch {
  rule_id?: string;
  severity?: Severity;
  /** Fires still. */
  open?: true;
  sort?: string;
}

export const alarmHistoryRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/history",
  validateSearch: (search: Record<string, unknown>): AlarmHistorySearch => ({
    rule_id: readText(search.rule_id),
    severity: readOneOf(search.severity, SEVERITIES),
    open: readFlag(search.open),
    sort: readText(search.sort),
  }),
  component: lazyRouteComponent(() => import("../pages/alarmHistory/AlarmHistoryPage")),
});

export interface AlarmRulesSearch extends ListSearch {
  /** Rules are being taken from a file. */
  import?: true;
}

export const alarmRulesRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/rules",
  validateSearch: (search: Record<string, unknown>): AlarmRulesSearch => ({
    ...readListSearch(search),
    import: readFlag(search.import),
  }),
  component: lazyRouteComponent(() => import("../pages/alarmRules/AlarmRulesPage")),
});

export interface AlarmRuleSearch {
  /** Of a new rule: what it starts from. */
  template?: string;
}

export const alarmRuleRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/rules/$rule",
  validateSearch: (search: Record<string, unknown>): AlarmRuleSearch => ({ template: readText(search.template) }),
  component: lazyRouteComponent(() => import("../pages/alarmRule/AlarmRulePage")),
});

export const alarmNotifiersRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/notifiers",
  validateSearch: (search: Record<string, unknown>): { sort?: string } => ({ sort: readText(search.sort) }),
  component: lazyRouteComponent(() => import("../pages/alarmNotifiers/AlarmNotifiersPage")),
});

export const alarmNotifierRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/alarms/notifiers/$notifier",
  component: lazyRouteComponent(() => import("../pages/alarmNotifier/AlarmNotifierPage")),
});
