/** A rule in words, so that its author reads what it says. */

import type { AlarmRuleDocument, AlarmWhat, Op } from "../../api/alarmsTypes";
import type { Translate } from "../../i18n";
import type { Key } from "../../i18n/en";
import { lasting, said, unitOf } from "./amounts";

const OPS: Record<Op, Key> = {
  ">": "alarms.sentence.above",
  ">=": "alarms.sentence.atLeast",
  "<": "alarms.sentence.below",
  "<=": "alarms.sentence.atMost",
};

const DIMENSIONS: Record<string, Key> = {
  service: "service",
  endpoint: "endpoint",
  instance: "instance",
  host: "alarms.host",
  error_type: "alarms.errorType",
};

export const dimensionText = (name: string, t: Translate) => {
  const key = DIMENSIONS[name];
  return key ? t(key) : name;
};

/** When it fires, when that is over, and who is told. */
export function sentenceOf(rule: AlarmRuleDocument, t: Translate): string {
  return spaced([firesWhen(rule, t), overWhen(rule, t), toldWhom(rule, t)].join(" ").replaceAll("。 ", "。"));
}

/** Names and figures stand apart from Chinese around them. */
const spaced = (text: string) =>
  text.replace(/(\p{Script=Han})([\w<])/gu, "$1 $2").replace(/([\w%>])(\p{Script=Han})/gu, "$1 $2");

function firesWhen({ what, group_by, window_s, condition, severity }: AlarmRuleDocument, t: Translate): string {
  const { baseline } = condition;
  const limit = baseline
    ? t("alarms.sentence.usual", {
        periods: baseline.periods,
        period: t(baseline.every === "day" ? "alarms.sentence.days" : "alarms.sentence.weeks"),
        k: baseline.k,
      })
    : said(condition.threshold, unitOf(what), what);
  const silence = what.kind === "no_data" || what.kind === "agent";
  const subject = subjectOf(what, group_by, t);
  return t("alarms.sentence.fixed", {
    subject: silence ? subject : t("alarms.sentence.over", { subject, window: lasting(window_s) }),
    verb: t(condition.for_s > 0 ? "alarms.sentence.stays" : "alarms.sentence.is"),
    op: t(OPS[condition.op]),
    threshold: limit,
    lasting: condition.for_s > 0 ? t("alarms.sentence.lasting", { duration: lasting(condition.for_s) }) : "",
    severity: t(`alarms.severity.${severity}`).toLowerCase(),
  });
}

function subjectOf(what: AlarmWhat, group_by: readonly string[], t: Translate): string {
  const figure = figureOf(what, t);
  const byHost = what.kind === "host" || what.kind === "agent";
  const dimensions = byHost ? ["host"] : group_by;
  const filters: Record<string, string> = {
    service: what.service,
    endpoint: what.endpoint,
    instance: what.instance,
    host: what.host,
    error_type: what.error_type,
  };
  const whose = Object.values(filters).filter((name) => name !== "");
  const told = dimensions.filter((name) => !filters[name]).map((name) => dimensionText(name, t).toLowerCase());
  if (told.length > 0) whose.push(t("alarms.sentence.each", { dimensions: told.join(", ") }));
  if (whose.length === 0) {
    if (what.kind === "promql" || what.kind === "metric" || what.signal === "metric") return figure;
    whose.push(t("alarms.sentence.everything"));
  }
  return t("alarms.sentence.of", { figure, whose: whose.join(", ") });
}

function figureOf(what: AlarmWhat, t: Translate): string {
  switch (what.kind) {
    case "statistic":
      return what.statistic ? t(`alarms.figure.${what.statistic}`) : "…";
    case "host":
      return what.figure ? t(`alarms.figure.${what.figure}`) : "…";
    case "metric":
      return `${what.metric || "…"} (${what.aggregate ? t(`alarms.aggregate.${what.aggregate}`) : "…"})`;
    case "errors":
      return t("alarms.sentence.errors");
    case "no_data":
      return what.signal === "metric"
        ? t("alarms.sentence.noMetric", { metric: what.metric || "…" })
        : t("alarms.sentence.noRequests");
    case "agent":
      return t("alarms.sentence.agent");
    case "promql":
      return t("alarms.sentence.promql");
  }
}

function overWhen({ what, condition }: AlarmRuleDocument, t: Translate): string {
  const duration = lasting(condition.recover_for_s);
  return condition.recovery_threshold === null
    ? t("alarms.sentence.recoverFor", { duration })
    : t("alarms.sentence.recovery", { recovery: said(condition.recovery_threshold, unitOf(what), what), duration });
}

function toldWhom({ notify }: AlarmRuleDocument, t: Translate): string {
  if (notify.length === 0) return t("alarms.sentence.nobody");
  return t(notify.length === 1 ? "alarms.sentence.toldOne" : "alarms.sentence.told", { names: notify.join(", ") });
}
