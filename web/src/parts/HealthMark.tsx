import type { Health } from "../domain/health";
import { useWords } from "../i18n";
import type { Key } from "../i18n/en";

/** An alarm of no weight: neither well nor badly. */
type Shown = Health | "info";

const LABELS: Record<Shown, Key> = {
  ok: "health.ok",
  warn: "health.warn",
  error: "health.error",
  idle: "health.idle",
  info: "alarms.severity.info",
};

interface Props {
  health: Shown;
  size?: number;
  /** Where it is not a service that does well or badly. */
  label?: string;
}

/** Circle, triangle, diamond, dash, square: readable without colour. */
const SHAPES: Record<Shown, string> = {
  ok: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Z",
  warn: "M6 1 11.3 10.5H.7Z",
  error: "M6 .3 11.7 6 6 11.7 .3 6Z",
  idle: "M2 5h8v2H2Z",
  info: "M2 2h8v8H2Z",
};

export function HealthMark({ health, size = 12, label: own }: Props) {
  const { t } = useWords();
  const label = own ?? t(LABELS[health]);
  return (
    <svg width={size} height={size} viewBox="0 0 12 12" role="img" aria-label={label} style={{ flex: "none" }}>
      <title>{label}</title>
      <path d={SHAPES[health]} fill={health === "info" ? "var(--s-accent)" : `var(--s-${health})`} />
    </svg>
  );
}
