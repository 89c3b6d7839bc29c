import { Button, Group, NativeSelect, NumberInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api } from "../../api/endpoints";
import { samplingQuery } from "../../api/queries";
import type { Sampling, SamplingWish } from "../../api/types";
import {
  draftOf,
  isRate,
  isSame,
  isSlow,
  MOST_SLOW_MS,
  type SamplingDraft,
  saysNothing,
  wishOf,
} from "../../domain/sampling";
import { useWords } from "../../i18n";
import classes from "./Sampling.module.css";
import { SamplingChanged } from "./SamplingChanged";

const SEPARATORS = [".", ","];

interface Props {
  sampling: Sampling;
  onDone: () => void;
}

/** Begins with what holds when it is opened. Saving empty fields is the same as resetting. */
export function SamplingForm({ sampling, onDone }: Props) {
  const { t } = useWords();
  const queryClient = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(sampling));
  const { app, service } = sampling;
  const change = useMutation({
    mutationFn: (wish: SamplingWish | null) =>
      wish ? api.setSampling(app, service, wish) : api.resetSampling(app, service).then(() => undefined),
    onSuccess: async (said) => {
      const { queryKey } = samplingQuery(app, service);
      if (said) queryClient.setQueryData(queryKey, said);
      else await queryClient.invalidateQueries({ queryKey });
      onDone();
    },
  });
  const wish = wishOf(draft);
  const rateIsGood = isRate(draft.rate);
  const slowIsGood = isSlow(draft.slow);
  const ready = rateIsGood && slowIsGood && !isSame(wish, sampling);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !change.isPending) change.mutate(saysNothing(wish) ? null : wish);
  };
  const number = {
    size: "xs",
    min: 0,
    hideControls: true,
    allowNegative: false,
    clampBehavior: "none",
    allowedDecimalSeparators: SEPARATORS,
    rightSectionWidth: 36,
    placeholder: t("sampling.configured"),
  } as const;
  return (
    <form onSubmit={submit} className={classes.form}>
      <NumberInput
        {...number}
        data-autofocus
        label={t("sampling.rate")}
        rightSection={<span className={classes.unit}>%</span>}
        decimalScale={3}
        value={draft.rate}
        onChange={(rate) => setDraft({ ...draft, rate })}
        error={rateIsGood ? undefined : t("sampling.rate.bad")}
      />
      <NumberInput
        {...number}
        label={t("sampling.slow")}
        rightSection={<span className={classes.unit}>ms</span>}
        decimalScale={3}
        value={draft.slow}
        onChange={(slow) => setDraft({ ...draft, slow })}
        error={slowIsGood ? undefined : t("sampling.slow.bad", { most: MOST_SLOW_MS.toLocaleString("en-US") })}
      />
      <NativeSelect
        size="xs"
        label={t("sampling.caller")}
        value={draft.caller}
        onChange={(event) => setDraft({ ...draft, caller: event.currentTarget.value as SamplingDraft["caller"] })}
        data={[
          { value: "", label: t("sampling.configured") },
          { value: "follow", label: t("sampling.caller.follow") },
          { value: "own", label: t("sampling.caller.own") },
        ]}
      />
      <p className={classes.hint}>{t("sampling.exact")}</p>
      <p className={classes.hint}>{t("sampling.soon")}</p>
      {change.error && (
        <p className={classes.error} role="alert">
          {change.error.message}
        </p>
      )}
      <Group gap="xs">
        <Button type="submit" size="xs" disabled={!ready} loading={change.isPending}>
          {t("sampling.save")}
        </Button>
        {!saysNothing(sampling) && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            disabled={change.isPending}
            onClick={() => change.mutate(null)}
          >
            {t("sampling.reset")}
          </Button>
        )}
      </Group>
      <SamplingChanged sampling={sampling} />
    </form>
  );
}
