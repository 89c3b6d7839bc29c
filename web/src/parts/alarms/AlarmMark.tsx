import type { AlarmState, Severity } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";
import { HealthMark } from "../HealthMark";

const MARKS = { critical: "error", warning: "warn", info: "info" } as const satisfies Record<Severity, string>;

interface Props {
  severity: Severity;
  /** One that nobody needs to look at now is a dash. */
  state?: AlarmState;
}

/** How bad an alarm is, as a mark. */
export function AlarmMark({ severity, state = "firing" }: Props) {
  const { t } = useWords();
  const quiet = state === "no_data" || state === "suppressed";
  const label = `${t(`alarms.severity.${severity}`)}, ${t(`alarms.state.${state}`)}`;
  return <HealthMark health={quiet ? "idle" : MARKS[severity]} label={label} />;
}
