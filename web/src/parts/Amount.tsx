import { NOTHING, type Quantity } from "../domain/format";
import classes from "./Amount.module.css";

interface Props {
  of: Quantity;
  /** Room for the unit, in characters, so that values of a column line up. */
  unitWidth?: number;
  tone?: "ok" | "warn" | "error";
}

/** A value and, quieter, its unit. */
export function Amount({ of, unitWidth, tone }: Props) {
  const colour = tone && { color: `var(--s-${tone})` };
  return (
    <span className={of.value === NOTHING ? classes.nothing : classes.amount} style={colour}>
      {of.value}
      {(of.unit || unitWidth) && (
        <span className={classes.unit} style={unitWidth ? { minWidth: `${unitWidth}ch` } : undefined}>
          {of.unit}
        </span>
      )}
    </span>
  );
}
