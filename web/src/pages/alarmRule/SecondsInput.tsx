import { NumberInput } from "@mantine/core";

import { useWords } from "../../i18n";
import { lasting } from "../../parts/alarms/amounts";

interface Props {
  label: string;
  value: number;
  least?: number;
  most?: number;
  /** What 0 means, where it is not a duration. */
  zero?: string;
  onChange: (seconds: number) => void;
}

/** A duration in whole slots of 30 s. */
export function SecondsInput({ label, value, least = 0, most = 86_400, zero, onChange }: Props) {
  const { t } = useWords();
  return (
    <NumberInput
      size="xs"
      label={`${label} (${t("alarms.seconds")})`}
      description={value === 0 && zero ? zero : lasting(value)}
      min={least}
      max={most}
      step={30}
      allowDecimal={false}
      allowNegative={false}
      value={value}
      onChange={(next) => typeof next === "number" && onChange(next)}
    />
  );
}
