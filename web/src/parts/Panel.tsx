import type { ReactNode } from "react";

import classes from "./Panel.module.css";

interface Props {
  title?: ReactNode;
  /** Beside the title, at the right. */
  aside?: ReactNode;
  children: ReactNode;
  /** Tables and charts reach the edge. */
  flush?: boolean;
  testId?: string;
}

/** A framed part of a page. */
export function Panel({ title, aside, children, flush, testId }: Props) {
  return (
    <section className={classes.panel} data-testid={testId}>
      {(title || aside) && (
        <header className={classes.head}>
          {title && <h2 className={classes.title}>{title}</h2>}
          {aside && <div className={classes.aside}>{aside}</div>}
        </header>
      )}
      <div className={flush ? undefined : classes.body}>{children}</div>
    </section>
  );
}
