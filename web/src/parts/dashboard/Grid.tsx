import type { CSSProperties, ReactNode } from "react";

import type { Panel } from "../../api/dashboardsTypes";
import classes from "./Grid.module.css";

interface Props {
  panels: readonly Panel[];
  children: (panel: Panel) => ReactNode;
}

/** Panels in their places; on a phone one below the other. */
export function Grid({ panels, children }: Props) {
  const inOrder = [...panels].sort((a, b) => a.y - b.y || a.x - b.x);
  return (
    <div className={classes.grid}>
      {inOrder.map((panel) => (
        <div
          key={panel.id}
          className={classes.cell}
          style={
            {
              "--column": `${panel.x + 1} / span ${panel.w}`,
              "--row": `${panel.y + 1} / span ${panel.h}`,
            } as CSSProperties
          }
        >
          {children(panel)}
        </div>
      ))}
    </div>
  );
}
