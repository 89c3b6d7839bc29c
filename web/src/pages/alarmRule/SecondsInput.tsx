import { useWords } from "../../i18n";
import { lasting } from "../../parts/alarms/amounts";
import { NumberField } from "./NumberField";

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
    <NumberField
      label={t("alarms.inSeconds", { what: label })}
      description={value === 0 && zero ? zero : lasting(value)}
      least={least}
      most={most}
      step={30}
      whole
      value={value}
      onChange={onChange}
    />
  );
}
