import { NumberInput } from "@mantine/core";

import { useWords } from "../../i18n";
import { lasting } from "../../parts/alarms/amounts";

interface Props {
  label: string;
  value: number;
  least?: number;
  onChange: (seconds: number) => void;
}

/** A duration in whole slots of 30 s. */
export function SecondsInput({ label, value, least = 0, onChange }: Props) {
  const { t } = useWords();
  return (
    <NumberInput
      size="xs"
      label={`${label} (${t("alarms.seconds")})`}
      description={lasting(value)}
      min={least}
      max={86_400}
      step={30}
      allowDecimal={false}
      allowNegative={false}
      value={value}
      onChange={(next) => typeof next === "number" && onChange(next)}
    />
  );
}
