import { Select } from "@mantine/core";

interface Props<T extends string> {
  label: string;
  description?: string;
  value: T | null;
  choices: readonly T[];
  /** How a choice is shown; without it, as it is. */
  textOf?: (choice: T) => string;
  onChange: (choice: T) => void;
}

/** One of a few words of a rule. */
export function ChoiceField<T extends string>({ label, description, value, choices, textOf, onChange }: Props<T>) {
  return (
    <Select
      size="xs"
      label={label}
      description={description}
      allowDeselect={false}
      value={value}
      onChange={(next) => {
        const chosen = choices.find((one) => one === next);
        if (chosen) onChange(chosen);
      }}
      data={choices.map((one) => ({ value: one, label: textOf ? textOf(one) : one }))}
    />
  );
}
