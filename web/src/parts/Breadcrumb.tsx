import type { ReactNode } from "react";

import classes from "./Breadcrumb.module.css";
import { Name } from "./Name";

interface Props {
  /** A link to the page above. */
  parent: ReactNode;
  name: string;
  mark?: ReactNode;
}

/** Where this page stands. On a phone the way up is an arrow, so that the name has room. */
export function Breadcrumb({ parent, name, mark }: Props) {
  return (
    <>
      <span className={classes.parent}>{parent}</span>
      <span className={`muted ${classes.slash}`} aria-hidden="true">
        /
      </span>
      <Name mark={mark}>{name}</Name>
    </>
  );
}
