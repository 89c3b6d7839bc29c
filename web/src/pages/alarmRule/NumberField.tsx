import { NumberInput } from "@mantine/core";
import type { ReactNode } from "react";

/** So that fields beside each other stand on one line. */
export const NO_WORDS = "\u00a0";

interface Props {
  label: string;
  /** What the number means. */
  description?: ReactNode;
  /** None: the field is empty. */
  value: number | null;
  least?: number;
  most?: number;
  step?: number;
  whole?: boolean;
  testId?: string;
  onChange: (value: number) => void;
  /** Without it, an empty field leaves the number as it was. */
  onEmpty?: () => void;
}

/** A number of a rule. What is being typed and is no number yet changes nothing. */
export function NumberField({
  label,
  description = NO_WORDS,
  value,
  least,
  most,
  step,
  whole = false,
  testId,
  onChange,
  onEmpty,
}: Props) {
  return (
    <NumberInput
      size="xs"
      label={label}
      description={description}
      min={least}
      max={most}
      step={step}
      allowDecimal={!whole}
      allowNegative={least === undefined || least < 0}
      value={value ?? ""}
      onChange={(next) => (typeof next === "number" ? onChange(next) : next === "" && onEmpty?.())}
      data-testid={testId}
    />
  );
}
