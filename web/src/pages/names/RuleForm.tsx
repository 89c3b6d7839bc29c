import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { appsQuery } from "../../api/queries";
import { namesQuery, statisticsApi } from "../../api/statistics";
import { type NameRule, RULE_KINDS } from "../../api/statisticsTypes";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { draftOf, isWhole, NO_RULE, type RuleDraft, takes, wishOf } from "./draft";
import classes from "./NamesPage.module.css";
import { Preview } from "./Preview";

interface Props {
  app: string;
  /** The rule that is changed; undefined: a new one. */
  rule: NameRule | undefined;
  onDone: () => void;
}

/** A rule, and what it would merge, before it holds. */
export function RuleForm({ app, rule, onDone }: Props) {
  const { t } = useWords();
  const { range } = useRange();
  const client = useQueryClient();
  const apps = useQuery(appsQuery);
  const [draft, setDraft] = useState<RuleDraft>(() => (rule ? draftOf(rule) : NO_RULE));
  const preview = useMutation({ mutationFn: () => statisticsApi.previewName(app, wishOf(draft), range) });
  const save = useMutation({
    mutationFn: () =>
      rule ? statisticsApi.changeName(app, rule.id, wishOf(draft)) : statisticsApi.addName(app, wishOf(draft)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: namesQuery(app).queryKey });
      setDraft({ ...NO_RULE, kind: draft.kind });
      preview.reset();
      onDone();
    },
  });
  const change = (next: Partial<RuleDraft>) => {
    preview.reset();
    save.reset();
    setDraft({ ...draft, ...next });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isWhole(draft) && !save.isPending) save.mutate();
  };
  const field = (name: "service" | "pattern" | "name") => ({
    size: "xs",
    value: draft[name],
    maxLength: name === "pattern" ? 500 : 255,
    onChange: (event: { currentTarget: { value: string } }) => change({ [name]: event.currentTarget.value }),
  });
  return (
    <Panel title={rule ? t("names.edit") : t("names.new")} testId={TEST_IDS.nameForm}>
      <form className={classes.form} onSubmit={submit}>
        <SegmentedControl
          size="xs"
          aria-label={t("names.kind")}
          value={draft.kind}
          onChange={(kind) => change({ kind: RULE_KINDS.find((one) => one === kind) ?? draft.kind })}
          data={RULE_KINDS.map((value) => ({ value, label: t(`names.${value}`) }))}
        />
        <p className={classes.note}>{t(`names.${draft.kind}.hint`)}</p>
        <div className={classes.fields}>
          {takes(draft.kind, "pattern") && (
            <TextInput {...field("pattern")} label={t("names.pattern")} placeholder="GET /orders/[0-9]+" />
          )}
          {draft.kind === "endpoint" && (
            <TextInput {...field("name")} label={t("names.name")} placeholder="GET /orders/{id}" />
          )}
          <TextInput
            {...field("service")}
            label={t("names.service")}
            placeholder={draft.kind === "endpoint" ? t("names.service.any") : "orders"}
          />
          {draft.kind === "alias" && <TextInput {...field("name")} label={t("names.name")} placeholder="checkout" />}
          {draft.kind === "move" && (
            <Select
              size="xs"
              searchable
              label={t("names.target")}
              data={(apps.data ?? [])
                .filter(({ id }) => id !== app)
                .map(({ id, name }) => ({ value: id, label: name }))}
              value={draft.target_app || null}
              onChange={(target_app) => change({ target_app: target_app ?? "" })}
            />
          )}
        </div>
        <div className={classes.buttons}>
          <Button type="submit" size="xs" disabled={!isWhole(draft)} loading={save.isPending}>
            {rule ? t("names.change") : t("names.add")}
          </Button>
          {draft.kind === "endpoint" && (
            <Button
              size="xs"
              variant="default"
              disabled={!isWhole(draft)}
              loading={preview.isPending}
              onClick={() => preview.mutate()}
            >
              {t("names.preview")}
            </Button>
          )}
          {rule && (
            <Button size="xs" variant="subtle" color="gray" onClick={onDone}>
              {t("names.cancel")}
            </Button>
          )}
        </div>
      </form>
      <Refused error={save.error ?? preview.error} />
      {preview.data && <Preview found={preview.data} />}
    </Panel>
  );
}
