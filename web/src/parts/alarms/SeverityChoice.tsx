import { SegmentedControl } from "@mantine/core";

import { SEVERITIES } from "../../api/alarms";
import type { Severity } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";

interface Props {
  /** None: all of them. */
  severity: Severity | undefined;
  onChange: (severity: Severity | undefined) => void;
}

/** Of which severity alarms are shown. */
export function SeverityChoice({ severity, onChange }: Props) {
  const { t } = useWords();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t("alarms.severity")}
      value={severity ?? ""}
      onChange={(next) => onChange(SEVERITIES.find((one) => one === next))}
      data={[
        { value: "", label: t("alarms.all") },
        ...SEVERITIES.map((one) => ({ value: one, label: t(`alarms.severity.${one}`) })),
      ]}
    />
  );
}
