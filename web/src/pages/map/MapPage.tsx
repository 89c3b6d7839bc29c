import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

import { mapAtQuery, mapHistoryQuery } from "../../api/map";
import { mapQuery } from "../../api/queries";
import type { ServiceMap } from "../../api/types";
import { type Hops, nearOf } from "../../domain/mapFocus";
import { atMoment } from "../../domain/mapMoment";
import { useWords } from "../../i18n";
import { callId } from "../../parts/graph/layout";
import { ServiceGraph } from "../../parts/graph/ServiceGraph";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ChartSkeleton } from "../../parts/Skeletons";
import { NoTraffic } from "../../shell/NoTraffic";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { CallPanel } from "./CallPanel";
import { Legend } from "./Legend";
import { MapList } from "./MapList";
import classes from "./MapPage.module.css";
import { NodePanel } from "./NodePanel";
import { TimeLine } from "./TimeLine";

const route = getRouteApi("/in/map");

/** Who calls whom. The list shows the same to those who do not use a mouse. */
export default function MapPage() {
  const { t } = useWords();
  const { range } = useRange();
  const { view = "graph", at } = route.useSearch();
  const navigate = route.useNavigate();
  const whole = useQuery(mapQuery(range));
  const history = useQuery(mapHistoryQuery(range));
  const then = useQuery(mapAtQuery(at, history.data?.step_s ?? 0));
  const map = useMemo(() => {
    if (at === undefined || !whole.data) return whole;
    // the first picture of a moment is that of all the time: nothing jumps when the moment's figures come
    const data = then.data ? atMoment(whole.data, then.data) : whole.data;
    return { data, error: then.error, refetch: then.refetch };
  }, [at, whole, then.data, then.error, then.refetch]);
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
            <div className={classes.page}>
              <MapView map={data} view={view} />
              {history.data && (
                <TimeLine
                  history={history.data}
                  at={at}
                  onChange={(chosen) => navigate({ search: (before) => ({ ...before, at: chosen }), replace: true })}
                />
              )}
            </div>
          )
        }
      </Loaded>
    </Page>
  );
}

interface ViewProps {
  map: ServiceMap;
  view: "graph" | "list";
}

function MapView({ map, view }: ViewProps) {
  const { node, call, hops = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const seconds = (new Date(map.to).getTime() - new Date(map.from).getTime()) / 1000;
  const chosen = map.nodes.find(({ id }) => id === node);
  const chosenCall = map.edges.find(({ source, target }) => callId(source, target) === call);
  const near = useMemo(() => (node === undefined ? undefined : nearOf(node, map.edges, hops)), [node, map.edges, hops]);
  const select = useCallback(
    (id: string | undefined) =>
      navigate({ search: (before) => ({ ...before, node: id, call: undefined }), replace: true }),
    [navigate],
  );
  const selectCall = useCallback(
    (id: string) => navigate({ search: (before) => ({ ...before, node: undefined, call: id }), replace: true }),
    [navigate],
  );
  const setHops = (next: Hops) =>
    navigate({ search: (before) => ({ ...before, hops: next === 1 ? undefined : next }), replace: true });
  return (
    <div className={classes.view}>
      <div className={view === "graph" ? classes.graph : classes.list}>
        {view === "graph" ? (
          <ServiceGraph
            nodes={map.nodes}
            edges={map.edges}
            seconds={seconds}
            selected={node}
            call={call}
            near={near}
            onSelect={select}
            onCall={selectCall}
          />
        ) : (
          <MapList map={map} seconds={seconds} onSelect={select} onCall={selectCall} />
        )}
      </div>
      {chosen && (
        <NodePanel
          node={chosen}
          map={map}
          seconds={seconds}
          hops={hops}
          onSelect={select}
          onHops={setHops}
          onCall={selectCall}
        />
      )}
      {chosenCall && <CallPanel call={chosenCall} map={map} seconds={seconds} onSelect={select} />}
    </div>
  );
}
