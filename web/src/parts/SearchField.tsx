import { ActionIcon, TextInput } from "@mantine/core";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { useWords } from "../i18n";

interface Props {
  label: string;
  value: string;
  onChange: (words: string) => void;
  onEnter?: (words: string, back: boolean) => void;
  width?: number | string;
}

/**
 * The search of a page; `/` leads to it. Its words live in the address, which changes a moment after each key: what is
 * typed is kept here, so that no key is lost on the way.
 */
export function SearchField({ label, value, onChange, onEnter, width = 260 }: Props) {
  const { t } = useWords();
  const [words, setWords] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setWords(value);
    told.current = value;
  }, [value]);
  const change = (next: string) => {
    setWords(next);
    told.current = next;
    onChange(next);
  };
  return (
    <TextInput
      size="xs"
      w={width}
      maw="100%"
      data-search
      leftSection={<IconSearch size={14} />}
      placeholder={label}
      aria-label={label}
      value={words}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") onEnter?.(words, event.shiftKey);
        if (event.key === "Escape") event.currentTarget.blur();
      }}
      rightSection={
        words && (
          <ActionIcon variant="subtle" color="gray" size="xs" onClick={() => change("")} aria-label={t("clear")}>
            <IconX size={12} />
          </ActionIcon>
        )
      }
    />
  );
}
