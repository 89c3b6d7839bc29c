import { Button, Group, NativeSelect, NumberInput, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { api } from "../../api/endpoints";
import { ApiError } from "../../api/http";
import { jobQuery, sessionQuery } from "../../api/queries";
import type { Process, Tool, ToolOption, ToolState } from "../../api/types";
import { toolName, whatItCosts, whatItShows } from "../../domain/tools";
import { type Translate, useWords } from "../../i18n";
import { exactnessText, optionText } from "../../i18n/options";
import { Command } from "../../parts/Command";
import { HealthMark } from "../../parts/HealthMark";
import { PolicyHint } from "../../parts/PolicyHint";
import { TEST_IDS } from "../../testIds";
import { draftFor, isGood, isReady, isSeconds, LEAST_SECONDS, MOST_SECONDS, valuesOf } from "./draft";
import classes from "./ToolsPage.module.css";

interface Props {
  process: Process;
  tool: Tool;
  /** What the process said of it; undefined before it was asked. */
  state: ToolState | undefined;
}

/** What a tool shows and costs, what it can be told, and the button. */
export function StartForm({ process, tool, state }: Props) {
  const { language, t } = useWords();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const session = useQuery(sessionQuery);
  const [draft, setDraft] = useState(() => draftFor(tool));
  const start = useMutation({
    mutationFn: api.startJob,
    onSuccess: (job) => {
      queryClient.setQueryData(jobQuery(job.id).queryKey, job);
      void queryClient.invalidateQueries({ queryKey: ["jobs"] });
      void navigate({ to: "/tools/runs/$job", params: { job: job.id } });
    },
  });
  const mayStart = session.data?.role !== "viewer";
  const ready = isReady(tool, draft) && process.node_connected && state?.available !== false;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready || !mayStart || start.isPending) return;
    start.mutate({
      app: process.app,
      node: process.node,
      pid: process.pid,
      tool: tool.name,
      seconds: tool.at_once ? 0 : Number(draft.seconds),
      options: valuesOf(tool, draft),
    });
  };
  const denied = start.error instanceof ApiError && start.error.code === "not_allowed";
  return (
    <form onSubmit={submit} className={classes.form} style={{ padding: 0 }} data-testid={TEST_IDS.startForm}>
      <h3 className={classes.formTitle}>
        {toolName(t, tool.name)}
        {tool.heavy && (
          <span className={classes.badge} title={t("tools.heavy.hint")}>
            {t("tools.heavy")}
          </span>
        )}
      </h3>
      <p className={classes.text}>{whatItShows(t, tool.name)}</p>
      <p className={classes.quiet}>{whatItCosts(t, tool.name)}</p>
      {state?.exact && (
        <p className={classes.quiet}>{t("tools.exact", { what: exactnessText(language, state.exact) })}</p>
      )}
      {state?.approximate && (
        <p className={classes.quiet}>{t("tools.approximate", { what: exactnessText(language, state.approximate) })}</p>
      )}
      {state && !state.available && <Unavailable state={state} />}
      <div className={classes.fields}>
        {!tool.at_once && (
          <NumberInput
            size="xs"
            label={t("tools.seconds")}
            description={t("tools.seconds.doc")}
            min={LEAST_SECONDS}
            max={MOST_SECONDS}
            clampBehavior="none"
            allowNegative={false}
            value={draft.seconds}
            onChange={(seconds) => setDraft({ ...draft, seconds })}
            error={
              isSeconds(draft.seconds) ? undefined : t("tools.between", { least: LEAST_SECONDS, most: MOST_SECONDS })
            }
          />
        )}
        {Object.entries(tool.options).map(([name, option]) => (
          <OptionInput
            key={name}
            name={name}
            meaning={optionText(language, tool.name, name, option.doc)}
            option={option}
            value={draft.options[name] ?? option.default}
            onChange={(value) => setDraft({ ...draft, options: { ...draft.options, [name]: value } })}
          />
        ))}
      </div>
      {start.error && (
        <div role="alert">
          <p className={classes.error}>{start.error.message}</p>
          {denied && <PolicyHint />}
        </div>
      )}
      <Group gap="sm">
        <Button type="submit" size="xs" disabled={!ready || !mayStart} loading={start.isPending}>
          {t(tool.at_once ? "tools.look" : "tools.start")}
        </Button>
        {!mayStart && <span className={classes.quiet}>{t("tools.readOnly")}</span>}
      </Group>
    </form>
  );
}

function Unavailable({ state }: { state: ToolState }) {
  const { t } = useWords();
  return (
    <div>
      <p className={classes.text}>
        <HealthMark health="error" size={10} /> {state.why_not || t("tools.unavailable")}
      </p>
      {state.unlock && (
        <>
          <p className={classes.quiet}>{t("tools.unlock")}</p>
          <Command>{state.unlock}</Command>
        </>
      )}
    </div>
  );
}

interface OptionProps {
  name: string;
  meaning: string;
  option: ToolOption;
  value: boolean | number | string;
  onChange: (value: boolean | number | string) => void;
}

function OptionInput({ name, meaning, option, value, onChange }: OptionProps) {
  const { t } = useWords();
  const common = { size: "xs", label: name, description: meaning } as const;
  if (typeof option.default === "boolean") {
    return (
      <Switch {...common} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} mt={4} />
    );
  }
  if (typeof option.default === "number") {
    return (
      <NumberInput
        {...common}
        value={value as number | string}
        onChange={onChange}
        clampBehavior="none"
        allowDecimal={!Number.isInteger(option.default) || !isWhole(option.at_least)}
        error={isGood(option, value) ? undefined : boundsText(t, option)}
      />
    );
  }
  if (option.choices?.length) {
    return (
      <NativeSelect
        {...common}
        value={String(value)}
        onChange={(event) => onChange(event.currentTarget.value)}
        data={option.choices}
      />
    );
  }
  return (
    <TextInput
      {...common}
      withAsterisk={(option.at_least ?? 0) > 0}
      value={String(value)}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

const isWhole = (value: number | null | undefined) => value === null || value === undefined || Number.isInteger(value);

function boundsText(t: Translate, { at_least, at_most }: ToolOption): string {
  const [least, most] = [at_least ?? undefined, at_most ?? undefined];
  if (least !== undefined && most !== undefined) return t("tools.between", { least, most });
  if (most !== undefined) return t("tools.atMost", { most });
  return t("tools.atLeast", { least: least ?? 0 });
}
