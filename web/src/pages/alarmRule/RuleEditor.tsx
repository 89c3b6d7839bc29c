import { Button, Group, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { alarmsApi, SEVERITIES } from "../../api/alarms";
import type { AlarmRule, AlarmRuleDocument, Severity } from "../../api/alarmsTypes";
import { busiestAppQuery } from "../../api/statistics";
import type { App } from "../../api/types";
import { useWords } from "../../i18n";
import { Failed } from "../../parts/alarms/Failed";
import { sentenceOf } from "../../parts/alarms/sentence";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { Empty } from "../../parts/Empty";
import { Panel } from "../../parts/Panel";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import { Backtest } from "./Backtest";
import { ConditionForm } from "./ConditionForm";
import classes from "./RuleEditor.module.css";
import { ToldForm } from "./ToldForm";
import { WhatForm } from "./WhatForm";

interface Props {
  apps: readonly App[];
  /** None: the rule is new. */
  kept: AlarmRule | null;
  start: AlarmRuleDocument;
}

/** A rule as a form, in a sentence, and over stored history, before it is kept. */
export function RuleEditor({ apps, kept, start }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const mayChange = useMayChange();
  const [chosen, setApp] = useState(kept?.app);
  // rather than the first, which may have nothing to measure
  const busiest = useQuery({ ...busiestAppQuery, enabled: chosen === undefined });
  const app = chosen ?? busiest.data ?? apps[0]?.id ?? "";
  const [rule, setRule] = useState(start);
  const change = (part: Partial<AlarmRuleDocument>) => setRule((before) => ({ ...before, ...part }));
  const left = async () => {
    await client.invalidateQueries({ queryKey: ["alarms"] });
    await navigate({ to: "/alarms/rules", search: {} });
  };
  const save = useMutation({
    mutationFn: () => (kept ? alarmsApi.changeRule(kept.id, app, rule) : alarmsApi.addRule(app, rule)),
    onSuccess: left,
  });
  const remove = useMutation({ mutationFn: (id: string) => alarmsApi.removeRule(id), onSuccess: left });
  if (!app) return <Empty title={t("alarms.rules.none")} />;
  return (
    <>
      <p className={classes.sentence} data-testid={TEST_IDS.ruleSentence}>
        {sentenceOf(rule, t)}
      </p>
      {kept?.problem && <Failed error={new Error(kept.problem)} />}
      <div className={classes.columns}>
        <Stack gap="sm">
          <Panel title={t("alarms.rule")}>
            <Stack gap="xs">
              <Group gap="xs" grow align="end">
                <TextInput
                  size="xs"
                  label={t("name")}
                  maxLength={100}
                  value={rule.name}
                  onChange={(event) => change({ name: event.currentTarget.value })}
                  data-testid={TEST_IDS.ruleName}
                />
                <Select
                  size="xs"
                  label={t("alarms.severity")}
                  allowDeselect={false}
                  value={rule.severity}
                  onChange={(next) => next && change({ severity: next as Severity })}
                  data={SEVERITIES.map((one) => ({ value: one, label: t(`alarms.severity.${one}`) }))}
                />
                <Select
                  size="xs"
                  label={t("alarms.app")}
                  allowDeselect={false}
                  disabled={kept !== null}
                  value={app}
                  onChange={(next) => next && setApp(next)}
                  data={apps.map(({ id, name }) => ({ value: id, label: name }))}
                />
              </Group>
              <Textarea
                size="xs"
                label={t("alarms.edit.description")}
                autosize
                minRows={1}
                maxLength={2000}
                value={rule.description}
                onChange={(event) => change({ description: event.currentTarget.value })}
              />
            </Stack>
          </Panel>
          <Panel title={t("alarms.edit.measured")}>
            <WhatForm app={app} rule={rule} onChange={setRule} />
          </Panel>
          <Panel title={t("alarms.edit.when")}>
            <ConditionForm rule={rule} onChange={(condition) => change({ condition })} />
          </Panel>
          <Panel title={t("alarms.edit.told")}>
            <ToldForm app={app} rule={rule} onChange={change} />
          </Panel>
          <Failed error={save.error ?? remove.error} />
          {mayChange && (
            <Group gap="xs" justify="flex-end">
              {kept && (
                <>
                  <ConfirmButton
                    label={t("alarms.rules.delete")}
                    confirm={t("alarms.sure")}
                    onConfirm={() => remove.mutate(kept.id)}
                  />
                  <Link to="/alarms/history" search={{ rule_id: kept.id, range: "7d" }} className="link">
                    {t("alarms.tab.history")}
                  </Link>
                </>
              )}
              <Button size="xs" loading={save.isPending} onClick={() => save.mutate()} data-testid={TEST_IDS.ruleSave}>
                {t("alarms.edit.save")}
              </Button>
            </Group>
          )}
        </Stack>
        <Backtest
          app={app}
          rule={rule}
          onThreshold={(threshold, recovery_threshold) =>
            change({ condition: { ...rule.condition, threshold, recovery_threshold, baseline: null } })
          }
        />
      </div>
    </>
  );
}
