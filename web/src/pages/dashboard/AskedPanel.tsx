import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { panelQuery, type Values } from "../../api/dashboards";
import type { Panel } from "../../api/dashboardsTypes";
import { PanelView } from "../../parts/dashboard/PanelView";
import { useRange } from "../../shell/useRange";

interface Props {
  panel: Panel;
  app: string | null;
  values: Values;
  between: { from: number; to: number };
  onSelect?: (from: number, to: number) => void;
  aside?: ReactNode;
}

/** A panel with what the server says to it. */
export function AskedPanel({ panel, app, values, between, onSelect, aside }: Props) {
  const { range } = useRange();
  const query = useQuery({ ...panelQuery(panel, app, values, range), enabled: panel.kind !== "text" });
  return <PanelView panel={panel} query={query} between={between} onSelect={onSelect} aside={aside} />;
}
