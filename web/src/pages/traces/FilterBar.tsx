import { Autocomplete, Button, Checkbox, NumberInput, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useState } from "react";

import type { TraceFilter, TraceOrder } from "../../api/endpoints";
import { servicesQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import classes from "./FilterBar.module.css";

interface Props {
  filter: TraceFilter;
  onChange: (next: Partial<TraceFilter>) => void;
  onClear: () => void;
}

/** Text is asked for when it is complete: on Enter, or when the field is left. */
export function FilterBar({ filter, onChange, onClear }: Props) {
  const { t } = useWords();
  const { range } = useRange();
  const services = useQuery({ ...servicesQuery(range), refetchInterval: false });
  const [draft, setDraft] = useState(draftOf(filter));
  useEffect(() => setDraft(draftOf(filter)), [filter]);

  const names = [...new Set(services.data?.map(({ service }) => service))].sort();
  const badAttribute = draft.attribute !== "" && !/^[^=]+=/.test(draft.attribute);
  const commit = (changed: Partial<typeof draft> = {}) => {
    const next = { ...draft, ...changed };
    if (next.attribute !== "" && !/^[^=]+=/.test(next.attribute)) return;
    const wanted = {
      service: next.service.trim() || undefined,
      endpoint: next.endpoint.trim() || undefined,
      attribute: next.attribute.trim() || undefined,
      min_ms: next.min_ms === "" ? undefined : Number(next.min_ms),
    };
    if ((Object.keys(wanted) as (keyof typeof wanted)[]).some((key) => wanted[key] !== filter[key])) onChange(wanted);
  };
  const field = {
    size: "xs",
    onBlur: () => commit(),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter") commit();
    },
  } as const;
  const filtered = filter.service || filter.endpoint || filter.attribute || filter.min_ms !== undefined || filter.error;
  return (
    <search className={classes.bar} data-testid={TEST_IDS.tracesFilter}>
      <Autocomplete
        {...field}
        data-search
        className={classes.service}
        data={names}
        limit={50}
        placeholder={t("service")}
        aria-label={t("service")}
        value={draft.service}
        onChange={(service) => setDraft({ ...draft, service })}
        onOptionSubmit={(service) => commit({ service })}
      />
      <TextInput
        {...field}
        className={classes.endpoint}
        placeholder={t("endpoint")}
        aria-label={t("endpoint")}
        value={draft.endpoint}
        onChange={(event) => setDraft({ ...draft, endpoint: event.currentTarget.value })}
      />
      <NumberInput
        {...field}
        className={classes.duration}
        placeholder={t("traces.minMs")}
        aria-label={t("traces.minMs")}
        min={0}
        hideControls
        suffix=" ms"
        value={draft.min_ms}
        onChange={(min_ms) => setDraft({ ...draft, min_ms })}
      />
      <TextInput
        {...field}
        className={classes.attribute}
        placeholder={t("traces.attribute")}
        aria-label={t("traces.attribute")}
        value={draft.attribute}
        error={badAttribute ? t("traces.attribute.bad") : undefined}
        onChange={(event) => setDraft({ ...draft, attribute: event.currentTarget.value })}
      />
      <Checkbox
        size="xs"
        label={t("traces.errorsOnly")}
        checked={filter.error ?? false}
        onChange={(event) => onChange({ error: event.currentTarget.checked || undefined })}
      />
      {filtered && (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={onClear}>
          {t("traces.clear")}
        </Button>
      )}
      <SegmentedControl
        size="xs"
        className={classes.order}
        value={filter.order}
        onChange={(order) => onChange({ order: order as TraceOrder })}
        data={[
          { value: "newest", label: t("traces.newest") },
          { value: "slowest", label: t("traces.slowest") },
        ]}
      />
    </search>
  );
}

/** The fields as they are typed; the number is text while it is being written. */
interface Draft {
  service: string;
  endpoint: string;
  attribute: string;
  min_ms: number | string;
}

const draftOf = ({ service = "", endpoint = "", attribute = "", min_ms }: TraceFilter): Draft => ({
  service,
  endpoint,
  attribute,
  min_ms: min_ms ?? "",
});
