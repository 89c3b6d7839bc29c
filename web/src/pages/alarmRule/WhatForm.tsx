import { Autocomplete, MultiSelect, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { AlarmRuleDocument, AlarmWhat } from "../../api/alarmsTypes";
import { nodesQuery } from "../../api/nodes";
import { servicesQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import {
  AGGREGATES,
  GROUPS,
  HOST_FIGURES,
  KINDS,
  linesOf,
  NAMES,
  type NameField,
  ofKind,
  pairsOf,
  STATISTICS,
} from "../../parts/alarms/fields";
import { dimensionText } from "../../parts/alarms/sentence";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { ChoiceField } from "./ChoiceField";
import classes from "./RuleEditor.module.css";
import { SecondsInput } from "./SecondsInput";

interface Props {
  app: string;
  rule: AlarmRuleDocument;
  onChange: (rule: AlarmRuleDocument) => void;
}

/** What is measured, of whom, over which window, and what tells its groups apart. */
export function WhatForm({ app, rule, onChange }: Props) {
  const { t } = useWords();
  const { range } = useRange();
  const { what, group_by } = rule;
  const { kind } = what;
  const services = useQuery({ ...servicesQuery(range), refetchInterval: false });
  const nodes = useQuery(nodesQuery);
  const known: Partial<Record<NameField, string[]>> = {
    service: [...new Set(services.data?.filter((one) => one.app === app).map(({ service }) => service))],
    host: [...new Set(nodes.data?.map(({ host }) => host))],
  };
  const change = (part: Partial<AlarmWhat>) => onChange({ ...rule, what: { ...what, ...part } });
  const names = NAMES[kind].filter((name) => name !== "host" || kind !== "no_data" || what.signal === "metric");
  return (
    <div className={classes.fields}>
      <ChoiceField
        label={t("kind")}
        value={kind}
        choices={KINDS}
        textOf={(one) => t(`alarms.kind.${one}`)}
        onChange={(next) => onChange(ofKind(rule, next))}
      />
      {kind === "statistic" && (
        <ChoiceField
          label={t("alarms.figure")}
          value={what.statistic}
          choices={STATISTICS}
          textOf={(one) => t(`alarms.figure.${one}`)}
          onChange={(next) => change({ statistic: next })}
        />
      )}
      {kind === "host" && (
        <ChoiceField
          label={t("alarms.figure")}
          value={what.figure}
          choices={HOST_FIGURES}
          textOf={(one) => t(`alarms.figure.${one}`)}
          onChange={(next) => change({ figure: next })}
        />
      )}
      {kind === "no_data" && (
        <ChoiceField
          label={t("alarms.signal")}
          value={what.signal}
          choices={["requests", "metric"]}
          textOf={(one) => t(`alarms.signal.${one}`)}
          onChange={(next) => change({ signal: next, metric: "", host: "" })}
        />
      )}
      {(kind === "metric" || what.signal === "metric") && (
        <TextInput
          size="xs"
          label={t("alarms.metric")}
          value={what.metric}
          onChange={(event) => change({ metric: event.currentTarget.value })}
        />
      )}
      {kind === "metric" && (
        <>
          <ChoiceField
            label={t("alarms.aggregate")}
            value={what.aggregate}
            choices={AGGREGATES}
            textOf={(one) => t(`alarms.aggregate.${one}`)}
            onChange={(next) => change({ aggregate: next })}
          />
          <TagsInput
            size="xs"
            label={t("alarms.labels")}
            placeholder={t("alarms.labels.hint")}
            value={linesOf(what.labels)}
            onChange={(lines) => change({ labels: pairsOf(lines) })}
          />
        </>
      )}
      {kind === "promql" && (
        <Textarea
          size="xs"
          label={t("alarms.query")}
          autosize
          minRows={2}
          style={{ gridColumn: "1 / -1" }}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          value={what.query}
          onChange={(event) => change({ query: event.currentTarget.value })}
          data-testid={TEST_IDS.rulePromql}
        />
      )}
      {names.map((name) => (
        <Autocomplete
          key={name}
          size="xs"
          label={dimensionText(name, t)}
          placeholder={t("alarms.any")}
          limit={50}
          data={known[name] ?? []}
          value={what[name]}
          onChange={(value) => change({ [name]: value })}
        />
      ))}
      {kind === "metric" ? (
        <TagsInput
          size="xs"
          label={t("alarms.groupBy")}
          maxTags={4}
          data={[...GROUPS.metric]}
          value={group_by}
          onChange={(next) => onChange({ ...rule, group_by: next })}
        />
      ) : (
        GROUPS[kind].length > 0 && (
          <MultiSelect
            size="xs"
            label={t("alarms.groupBy")}
            data={GROUPS[kind].map((one) => ({ value: one, label: dimensionText(one, t) }))}
            value={group_by}
            onChange={(next) => onChange({ ...rule, group_by: next })}
          />
        )
      )}
      {kind !== "no_data" && kind !== "agent" && (
        <SecondsInput
          label={t("alarms.window")}
          least={30}
          value={rule.window_s}
          onChange={(window_s) => onChange({ ...rule, window_s })}
        />
      )}
    </div>
  );
}
