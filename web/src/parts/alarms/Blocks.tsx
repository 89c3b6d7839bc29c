import type { Severity } from "../../api/alarmsTypes";
import { moment } from "../../domain/format";
import classes from "./Alarms.module.css";
import { between } from "./amounts";
import { blockOf, type Interval } from "./blocks";

interface Props {
  label: string;
  intervals: readonly (Interval & { severity?: Severity; acknowledged_by?: string; note?: string })[];
  /** Epoch milliseconds. */
  from: number;
  to: number;
}

/** Intervals as blocks on a strip of time. */
export function Blocks({ label, intervals, from, to }: Props) {
  return (
    <div className={classes.strip} role="img" aria-label={`${label}: ${intervals.length}`}>
      {intervals.map((interval) => {
        const block = blockOf(interval, from, to);
        if (!block) return null;
        const { started_at, ended_at, severity = "warning", acknowledged_by, note } = interval;
        const when = `${moment(started_at, "minute")}, ${between(started_at, ended_at, to)}`;
        const who = [acknowledged_by, note].filter(Boolean).join(": ");
        return (
          <span
            key={`${started_at} ${ended_at}`}
            className={classes.block}
            data-severity={severity}
            data-open={block.open || undefined}
            style={{ left: `${block.left * 100}%`, width: `${block.width * 100}%` }}
            title={who ? `${when}\n${who}` : when}
          />
        );
      })}
    </div>
  );
}
