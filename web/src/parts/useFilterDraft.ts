import { type KeyboardEvent, useEffect, useState } from "react";

/** As a user types it; what it says is asked for when it is complete: on Enter, or when a field is left. */
export function useFilterDraft<Filter extends object, Draft extends object>(
  filter: Filter,
  draftOf: (filter: Filter) => Draft,
  /** What the fields ask for; null while that cannot be asked. */
  read: (draft: Draft) => Partial<Filter> | null,
  onChange: (next: Partial<Filter>) => void,
) {
  const [draft, setDraft] = useState(() => draftOf(filter));
  // biome-ignore lint/correctness/useExhaustiveDependencies: how it is read stays the same
  useEffect(() => setDraft(draftOf(filter)), [filter]);
  const set = (changed: Partial<Draft>) => setDraft({ ...draft, ...changed });
  const commit = (changed: Partial<Draft> = {}) => {
    const next = read({ ...draft, ...changed });
    if (next && (Object.keys(next) as (keyof Filter)[]).some((key) => next[key] !== filter[key])) onChange(next);
  };
  /** For each field. */
  const field = {
    size: "xs",
    onBlur: () => commit(),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter") commit();
    },
  } as const;
  return { draft, set, commit, field };
}

/** A number of a field, which is text while it is being written. */
export const numberIn = (typed: number | string) => (typed === "" ? undefined : Number(typed));
export const textIn = (typed: string) => typed.trim() || undefined;
