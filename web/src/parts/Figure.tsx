import type { ReactNode } from "react";

import type { Quantity } from "../domain/format";
import { Amount } from "./Amount";
import classes from "./Figure.module.css";

interface Props {
  label: string;
  of: Quantity;
  tone?: "ok" | "warn" | "error";
  /** Comparisons, a sparkline. */
  children?: ReactNode;
}

/** One large figure with its name. */
export function Figure({ label, of, tone, children }: Props) {
  return (
    <div className={classes.figure}>
      <div className={classes.label}>{label}</div>
      <div className={classes.value}>
        <Amount of={of} tone={tone} />
      </div>
      {children && <div className={classes.more}>{children}</div>}
    </div>
  );
}

/** Figures side by side: all in one row where they fit, else four, on a phone two. */
export function FigureRow({ children }: { children: ReactNode }) {
  return <div className={classes.row}>{children}</div>;
}
