import { Autocomplete, Button, Checkbox, NumberInput, TextInput } from "@mantine/core";

import type { LiveFilter } from "../../api/live";
import { useWords } from "../../i18n";
import { numberIn, textIn, useFilterDraft } from "../../parts/useFilterDraft";
import { TEST_IDS } from "../../testIds";
import classes from "./LivePage.module.css";

interface Props {
  filter: LiveFilter;
  /** Names to choose from. */
  services: readonly string[];
  onChange: (next: LiveFilter) => void;
}

/** Text is asked for when it is complete: on Enter, or when the field is left. Each filter is another stream. */
export function LiveFilterBar({ filter, services, onChange }: Props) {
  const { t } = useWords();
  const { draft, set, commit, field } = useFilterDraft(filter, draftOf, wantedOf, (next) =>
    onChange({ ...filter, ...next }),
  );
  const filtered = filter.service || filter.endpoint || filter.q || filter.error || filter.min_ms !== undefined;
  return (
    <search className={classes.filters} data-testid={TEST_IDS.liveFilter}>
      <Autocomplete
        {...field}
        data={[...services]}
        limit={50}
        placeholder={t("live.allServices")}
        aria-label={t("service")}
        value={draft.service}
        onChange={(service) => set({ service })}
        onOptionSubmit={(service) => commit({ service })}
      />
      <TextInput
        {...field}
        placeholder={t("endpoint")}
        aria-label={t("endpoint")}
        value={draft.endpoint}
        onChange={(event) => set({ endpoint: event.currentTarget.value })}
      />
      <NumberInput
        {...field}
        placeholder={t("live.minMs")}
        aria-label={t("live.minMs")}
        min={0}
        hideControls
        suffix=" ms"
        value={draft.min_ms}
        onChange={(min_ms) => set({ min_ms })}
      />
      <TextInput
        {...field}
        data-search
        placeholder={t("live.words")}
        aria-label={t("live.words")}
        title={t("live.words.hint")}
        value={draft.q}
        onChange={(event) => set({ q: event.currentTarget.value })}
      />
      <Checkbox
        size="xs"
        label={t("live.failedOnly")}
        checked={filter.error ?? false}
        onChange={(event) => onChange({ ...filter, error: event.currentTarget.checked || undefined })}
      />
      {filtered && (
        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => onChange({})}>
          {t("live.clear")}
        </Button>
      )}
    </search>
  );
}

interface Draft {
  service: string;
  endpoint: string;
  q: string;
  /** Text while it is being written. */
  min_ms: number | string;
}

const draftOf = ({ service = "", endpoint = "", q = "", min_ms }: LiveFilter): Draft => ({
  service,
  endpoint,
  q,
  min_ms: min_ms ?? "",
});

const wantedOf = ({ service, endpoint, q, min_ms }: Draft): LiveFilter => ({
  service: textIn(service),
  endpoint: textIn(endpoint),
  q: textIn(q),
  min_ms: numberIn(min_ms),
});
