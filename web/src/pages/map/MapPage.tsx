import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { mapQuery } from "../../api/queries";
import type { ServiceMap } from "../../api/types";
import { useWords } from "../../i18n";
import { ServiceGraph } from "../../parts/graph/ServiceGraph";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ChartSkeleton } from "../../parts/Skeletons";
import { NoTraffic } from "../../shell/NoTraffic";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { Legend } from "./Legend";
import { MapList } from "./MapList";
import classes from "./MapPage.module.css";
import { NodePanel } from "./NodePanel";

const route = getRouteApi("/in/map");

/** Who calls whom. The list shows the same to those who do not use a mouse. */
export default function MapPage() {
  const { t } = useWords();
  const { range } = useRange();
  const { node, view = "graph" } = route.useSearch();
  const navigate = route.useNavigate();
  const map = useQuery(mapQuery(range));
  const select = (id: string | undefined) => navigate({ search: (before) => ({ ...before, node: id }), replace: true });
  return (
    <Page
      title={t("nav.map")}
      fill
      tools={
        <>
          <Legend />
          <SegmentedControl
            size="xs"
            ml="auto"
            value={view}
            onChange={(chosen) =>
              navigate({ search: (before) => ({ ...before, view: chosen as "graph" | "list" }), replace: true })
            }
            data={[
              { value: "graph", label: t("view.graph") },
              { value: "list", label: t("view.list") },
            ]}
          />
        </>
      }
    >
      <Loaded query={map} skeleton={<ChartSkeleton height={420} />}>
        {(data) =>
          data.nodes.length === 0 ? (
            <Panel>
              <NoTraffic title={t("map.empty")} />
            </Panel>
          ) : (
            <MapView map={data} view={view} node={node} onSelect={select} />
          )
        }
      </Loaded>
    </Page>
  );
}

interface ViewProps {
  map: ServiceMap;
  view: "graph" | "list";
  node: string | undefined;
  onSelect: (id: string | undefined) => void;
}

function MapView({ map, view, node, onSelect }: ViewProps) {
  const seconds = (new Date(map.to).getTime() - new Date(map.from).getTime()) / 1000;
  const chosen = map.nodes.find(({ id }) => id === node);
  return (
    <div className={classes.view}>
      <div className={view === "graph" ? classes.graph : classes.list}>
        {view === "graph" ? (
          <ServiceGraph nodes={map.nodes} edges={map.edges} seconds={seconds} selected={node} onSelect={onSelect} />
        ) : (
          <MapList map={map} seconds={seconds} onSelect={onSelect} />
        )}
      </div>
      {chosen && <NodePanel node={chosen} map={map} seconds={seconds} onSelect={onSelect} />}
    </div>
  );
}
