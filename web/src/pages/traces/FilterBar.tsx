import { Autocomplete, Button, Checkbox, NumberInput, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { TraceFilter, TraceOrder } from "../../api/endpoints";
import { servicesQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { numberIn, textIn, useFilterDraft } from "../../parts/useFilterDraft";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { Conditions } from "./Conditions";
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
  const { draft, set, commit, field } = useFilterDraft(filter, draftOf, wantedOf, onChange);
  const names = [...new Set(services.data?.map(({ service }) => service))].sort();
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
        onChange={(service) => set({ service })}
        onOptionSubmit={(service) => commit({ service })}
      />
      <TextInput
        {...field}
        className={classes.endpoint}
        placeholder={t("endpoint")}
        aria-label={t("endpoint")}
        value={draft.endpoint}
        onChange={(event) => set({ endpoint: event.currentTarget.value })}
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
        onChange={(min_ms) => set({ min_ms })}
      />
      <NumberInput
        {...field}
        className={classes.duration}
        placeholder={t("traces.maxMs")}
        aria-label={t("traces.maxMs")}
        min={0}
        hideControls
        suffix=" ms"
        value={draft.max_ms}
        onChange={(max_ms) => set({ max_ms })}
      />
      <TextInput
        {...field}
        className={classes.status}
        placeholder={t("traces.status")}
        aria-label={t("traces.status")}
        title={t("traces.status.hint")}
        value={draft.status}
        error={!isStatus(draft.status) || undefined}
        onChange={(event) => set({ status: event.currentTarget.value.trim().toLowerCase() })}
      />
      <Checkbox
        size="xs"
        label={t("traces.errorsOnly")}
        checked={filter.error ?? false}
        onChange={(event) => onChange({ error: event.currentTarget.checked || undefined })}
      />
      <Checkbox
        size="xs"
        label={t("traces.anySpan")}
        title={t("traces.anySpan.hint")}
        checked={filter.any_span ?? false}
        onChange={(event) => onChange({ any_span: event.currentTarget.checked || undefined })}
      />
      {isFiltered(filter) && (
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
      <Conditions filter={filter} onChange={onChange} />
    </search>
  );
}

/** The fields as they are typed; the number is text while it is being written. */
interface Draft {
  service: string;
  endpoint: string;
  status: string;
  min_ms: number | string;
  max_ms: number | string;
}

const draftOf = ({ service = "", endpoint = "", status = "", min_ms, max_ms }: TraceFilter): Draft => ({
  service,
  endpoint,
  status,
  min_ms: min_ms ?? "",
  max_ms: max_ms ?? "",
});

/** As the server takes it, or nothing. */
const isStatus = (typed: string) => /^(\d{1,3}|[1-9]xx)?$/.test(typed);

const wantedOf = ({ service, endpoint, status, min_ms, max_ms }: Draft): Partial<TraceFilter> | null =>
  isStatus(status)
    ? {
        service: textIn(service),
        endpoint: textIn(endpoint),
        status: status || undefined,
        min_ms: numberIn(min_ms),
        max_ms: numberIn(max_ms),
      }
    : null;

/** Whether anything but the order is asked for. */
export const isFiltered = ({ order: _, ...filter }: TraceFilter) =>
  Object.values(filter).some((value) => (Array.isArray(value) ? value.length > 0 : value !== undefined));
