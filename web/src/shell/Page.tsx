import { type ReactNode, useEffect } from "react";
import { createPortal } from "react-dom";

import classes from "./Page.module.css";
import { useSlot } from "./useSlot";

interface Props {
  /** Of the browser's tab and, unless `heading` is given, of the page. */
  title: string;
  /** In place of the title, e.g. with a way back. */
  heading?: ReactNode;
  /** Filters and switches above the content. */
  tools?: ReactNode;
  /** The content has the height of the window and scrolls inside. */
  fill?: boolean;
  children: ReactNode;
}

/** What every page has: its name in the tab and in the header, and its content below. */
export function Page({ title, heading, tools, fill, children }: Props) {
  const slot = useSlot("page-title");
  useEffect(() => {
    document.title = `${title} · Sonde`;
  }, [title]);
  return (
    <div className={fill ? classes.fill : classes.page}>
      {slot && createPortal(<h1 className={classes.heading}>{heading ?? title}</h1>, slot)}
      {tools && <div className={classes.tools}>{tools}</div>}
      {children}
    </div>
  );
}
