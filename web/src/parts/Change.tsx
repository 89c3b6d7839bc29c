import { digits, NOTHING } from "../domain/format";
import classes from "./Change.module.css";

/** `points`: both are fractions, told in percentage points. `absolute`: the bare difference, e.g. of an Apdex. */
export type ChangeKind = "ratio" | "points" | "absolute";

interface Props {
  now: number | null;
  then: number | null | undefined;
  /** Which direction is good news; `neither` for traffic. */
  better: "up" | "down" | "neither";
  kind?: ChangeKind;
  label: string;
}

/** Below this a change is noise and stays quiet. */
const QUIET = { ratio: 0.05, points: 0.001, absolute: 0.01 };

/** How a figure moved since then: ▲ 12 % yesterday. */
export function Change({ now, then, better, kind = "ratio", label }: Props) {
  const change = changeOf(now, then, kind);
  if (change === null) {
    return (
      <span className={classes.change}>
        <span className={classes.amount}>{NOTHING}</span> {label}
      </span>
    );
  }
  const quiet = Math.abs(change) < QUIET[kind] || better === "neither";
  const good = change > 0 === (better === "up");
  return (
    <span className={classes.change}>
      <span className={classes.amount} style={quiet ? undefined : { color: good ? "var(--s-ok)" : "var(--s-error)" }}>
        {change === 0 ? "" : change > 0 ? "▲ " : "▼ "}
        {changeText(change, kind)}
      </span>{" "}
      {label}
    </span>
  );
}

/** null when there is nothing to compare with. */
export function changeOf(now: number | null, then: number | null | undefined, kind: ChangeKind): number | null {
  if (now === null || then === null || then === undefined) return null;
  if (kind !== "ratio") return now - then;
  if (then === 0) return now === 0 ? 0 : null;
  return now / then - 1;
}

function changeText(change: number, kind: ChangeKind): string {
  const size = Math.abs(change);
  if (kind === "points") return `${size === 0 ? "0" : digits(size * 100)} pp`;
  if (kind === "absolute") return size.toFixed(2);
  if (size >= 9.995) return `×${digits(change + 1)}`;
  return `${size * 100 < 9.95 ? (size * 100).toFixed(1) : Math.round(size * 100)} %`;
}
