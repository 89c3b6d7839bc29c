import { ActionIcon } from "@mantine/core";
import { IconFocusCentered, IconMinus, IconPlus, IconSitemap } from "@tabler/icons-react";
import { lazy, Suspense, useRef } from "react";

import type { MapEdge, MapNode } from "../../api/types";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { usePalette } from "../../theme/theme";
import { ChartSkeleton } from "../Skeletons";
import classes from "./ServiceGraph.module.css";

const GraphCanvas = lazy(() => import("./GraphCanvas"));

/** What the buttons ask of the drawing. */
export interface GraphView {
  fit: () => void;
  zoomBy: (factor: number) => void;
  /** Forget where nodes were put. */
  arrange: () => void;
}

interface Props {
  nodes: readonly MapNode[];
  edges: readonly MapEdge[];
  /** Length of the range, for rates. */
  seconds: number;
  /** Id of the chosen node. */
  selected: string | undefined;
  /** The chosen call, see `callId`. */
  call: string | undefined;
  /** Nodes that stay bright; undefined: all. */
  near: ReadonlySet<string> | undefined;
  onSelect: (id: string | undefined) => void;
  onCall: (id: string) => void;
}

const ZOOM_STEP = 1.3;

/** Services and what they call, callers left, callees right. */
export function ServiceGraph(props: Props) {
  const { t } = useWords();
  const palette = usePalette();
  const view = useRef<GraphView | null>(null);
  return (
    <div
      className={classes.graph}
      data-testid={TEST_IDS.mapCanvas}
      role="img"
      aria-label={t("map.label", { count: props.nodes.length })}
    >
      <Suspense fallback={<ChartSkeleton height={320} />}>
        <GraphCanvas {...props} palette={palette} view={view} />
      </Suspense>
      <div className={classes.buttons}>
        <ActionIcon
          variant="default"
          onClick={() => view.current?.zoomBy(ZOOM_STEP)}
          aria-label={t("zoom.in")}
          title={t("zoom.in")}
        >
          <IconPlus size={15} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          onClick={() => view.current?.zoomBy(1 / ZOOM_STEP)}
          aria-label={t("zoom.out")}
          title={t("zoom.out")}
        >
          <IconMinus size={15} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          onClick={() => view.current?.fit()}
          aria-label={t("zoom.fit")}
          title={t("zoom.fit")}
        >
          <IconFocusCentered size={15} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          onClick={() => view.current?.arrange()}
          aria-label={t("map.arrange")}
          title={t("map.arrange")}
        >
          <IconSitemap size={15} />
        </ActionIcon>
      </div>
    </div>
  );
}
