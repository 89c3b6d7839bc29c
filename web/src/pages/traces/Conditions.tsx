import { ActionIcon, Autocomplete, Button, NativeSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";

import type { TraceFilter } from "../../api/endpoints";
import { appsQuery } from "../../api/queries";
import { attributeKeysQuery, attributeValuesQuery } from "../../api/traces";
import {
  type Condition,
  isComplete,
  OPERATORS,
  type Operator,
  readCondition,
  writeCondition,
} from "../../domain/conditions";
import { useWords } from "../../i18n";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import classes from "./Conditions.module.css";

interface Props {
  filter: TraceFilter;
  onChange: (next: Partial<TraceFilter>) => void;
}

const NONE: Condition = { key: "", operator: "=", value: "" };
/** Filters that come by links and have no field of their own. */
const BY_LINK = ["app", "instance", "peer"] as const;
const ASK_AFTER_MS = 250;

/** What is asked of attributes, each to be taken away, and a row to add another. */
export function Conditions({ filter, onChange }: Props) {
  const { t } = useWords();
  const { range } = useRange();
  const [draft, setDraft] = useState(NONE);
  const [asked, setAsked] = useState(false);
  const [typed] = useDebouncedValue(draft.value, ASK_AFTER_MS);
  const keys = useQuery({ ...attributeKeysQuery(filter.service, range), enabled: asked });
  const known = keys.data?.some(({ key }) => key === draft.key) ?? false;
  const values = useQuery({
    ...attributeValuesQuery(draft.key, typed, filter.service, range),
    enabled: known && draft.operator !== "?",
  });
  const apps = useQuery({ ...appsQuery, enabled: filter.app !== undefined });
  const appName = (id: string) => apps.data?.find((app) => app.id === id)?.name ?? id;
  const given = filter.attribute ?? [];
  const bad = draft.key !== "" && draft.value !== "" && !isComplete(draft);

  const add = (changed: Partial<Condition> = {}) => {
    // a whole condition may be typed at once
    const condition = readCondition(draft.key.trim()) ?? { ...draft, ...changed, key: draft.key.trim() };
    if (condition.operator === "?") condition.value = "";
    if (!isComplete(condition)) return;
    const text = writeCondition(condition);
    if (!given.includes(text)) onChange({ attribute: [...given, text] });
    setDraft(NONE);
  };
  const field = {
    size: "xs",
    onFocus: () => setAsked(true),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter") add();
    },
  } as const;
  return (
    <div className={classes.conditions} data-testid={TEST_IDS.tracesConditions}>
      {BY_LINK.map((name) => {
        const value = filter[name];
        return (
          value && (
            <Chip
              key={name}
              words={[t(`traces.of.${name}`), "=", name === "app" ? appName(value) : value]}
              onRemove={() => onChange({ [name]: undefined, ...(name === "peer" && { any_span: undefined }) })}
            />
          )
        );
      })}
      {given.map((text) => {
        const condition = readCondition(text);
        return (
          <Chip
            key={text}
            words={
              condition
                ? [condition.key, t(`operator.${condition.operator}`), condition.value]
                : [text, t("operator.bad"), ""]
            }
            onRemove={() => onChange({ attribute: given.filter((other) => other !== text) })}
          />
        );
      })}
      <div className={classes.add}>
        <Autocomplete
          {...field}
          className={classes.key}
          data={keys.data?.map(({ key }) => key) ?? []}
          limit={60}
          placeholder={t("traces.attribute")}
          aria-label={t("traces.attribute")}
          value={draft.key}
          onChange={(key) => setDraft({ ...draft, key })}
        />
        <NativeSelect
          {...field}
          className={classes.choice}
          aria-label={t("traces.operator")}
          value={draft.operator}
          onChange={(event) => setDraft({ ...draft, operator: event.currentTarget.value as Operator })}
          data={OPERATORS.map((operator) => ({ value: operator, label: t(`operator.${operator}`) }))}
        />
        {draft.operator !== "?" && (
          <Autocomplete
            {...field}
            className={classes.value}
            data={values.data?.map(({ value }) => value).filter((value) => value !== "") ?? []}
            filter={({ options }) => options}
            placeholder={t("traces.value")}
            aria-label={t("traces.value")}
            value={draft.value}
            error={bad || undefined}
            onChange={(value) => setDraft({ ...draft, value })}
            onOptionSubmit={(value) => add({ value })}
          />
        )}
        <Button
          size="xs"
          variant="default"
          disabled={
            !readCondition(draft.key) && !isComplete({ ...draft, value: draft.operator === "?" ? "" : draft.value })
          }
          onClick={() => add()}
        >
          {t("traces.add")}
        </Button>
      </div>
    </div>
  );
}

function Chip({ words: [key, operator, value], onRemove }: { words: [string, string, string]; onRemove: () => void }) {
  const { t } = useWords();
  const all = `${key} ${operator} ${value}`;
  return (
    <span className={classes.chip} title={all}>
      <span className="ellipsis">
        {key} <span className={classes.operator}>{operator}</span> {value}
      </span>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="xs"
        onClick={onRemove}
        aria-label={t("traces.remove", { condition: all })}
      >
        <IconX size={12} />
      </ActionIcon>
    </span>
  );
}
