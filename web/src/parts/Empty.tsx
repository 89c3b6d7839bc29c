import type { ReactNode } from "react";

import { TEST_IDS } from "../testIds";
import classes from "./Notice.module.css";

interface Props {
  title: string;
  /** What to do about it. */
  children?: ReactNode;
}

/** There is nothing to show, and this is what to do. */
export function Empty({ title, children }: Props) {
  return (
    <div className={children ? classes.notice : classes.quiet} data-testid={TEST_IDS.empty}>
      <p className={classes.title}>{title}</p>
      {children && <div className={classes.text}>{children}</div>}
    </div>
  );
}
