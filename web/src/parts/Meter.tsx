import { percent } from "../domain/format";
import { fullness, type Health } from "../domain/health";
import { Amount } from "./Amount";
import classes from "./Meter.module.css";

interface Props {
  /** 0…1, null when unknown. */
  fraction: number | null;
  /** Read out and shown on hover, e.g. "3.2 GiB of 16 GiB". */
  title: string;
  detail?: string;
  /** Where fullness is judged otherwise than a disk's. */
  health?: Health;
}

/** How full something is. */
export function Meter({ fraction, title, detail, health = fullness(fraction) }: Props) {
  const filled = Math.min(1, Math.max(0, fraction ?? 0));
  return (
    <div className={classes.meter} title={title}>
      {/* biome-ignore lint/a11y/useSemanticElements: no browser lets its own meter be drawn like this */}
      <div
        className={classes.track}
        role="meter"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(filled * 100)}
      >
        <div
          className={classes.fill}
          style={{ width: `${filled * 100}%`, background: `var(--s-${health === "ok" ? "accent" : health})` }}
        />
      </div>
      <span className={classes.value}>
        <Amount
          of={fraction === null ? percent(null) : { value: String(Math.round(fraction * 100)), unit: "%" }}
          unitWidth={2}
        />
      </span>
      {detail && <span className={classes.detail}>{detail}</span>}
    </div>
  );
}
