import { useMemo } from "react";

import type { MapEdge, MapNode, ServiceMap } from "../../api/types";
import { duration, percent, rate } from "../../domain/format";
import { healthOf, toneOf } from "../../domain/health";
import { disagrees } from "../../domain/mapCalls";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { callId } from "../../parts/graph/layout";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";
import classes from "./MapList.module.css";

interface Props {
  map: ServiceMap;
  seconds: number;
  onSelect: (id: string) => void;
  onCall: (id: string) => void;
}

/** The map as two tables. */
export function MapList({ map, seconds, onSelect, onCall }: Props) {
  const { t } = useWords();
  const figures = useMemo(() => figureColumns<MapNode | MapEdge>(t, seconds), [t, seconds]);
  const nameOf = useMemo(() => {
    const names = new Map(map.nodes.map(({ id, name }) => [id, name]));
    return (id: string) => names.get(id) ?? id;
  }, [map.nodes]);
  const nodes = useMemo<Column<MapNode>[]>(
    () => [
      {
        key: "name",
        header: t("name"),
        cell: (node) => (
          <button type="button" className={classes.node} onClick={() => onSelect(node.id)}>
            <Name mark={<HealthMark health={healthOf(node)} size={10} />}>{node.name}</Name>
          </button>
        ),
      },
      {
        key: "type",
        header: t("type"),
        width: 150,
        phoneLast: true,
        cell: ({ type, system }) => <Name>{[t(`type.${type}`), system].filter(Boolean).join(" · ")}</Name>,
      },
      ...figures,
    ],
    [t, figures, onSelect],
  );
  const calls = useMemo<Column<MapEdge>[]>(
    () => [
      {
        key: "source",
        header: t("map.from"),
        cell: (edge) => (
          <button type="button" className={classes.node} onClick={() => onCall(callId(edge.source, edge.target))}>
            <Name mark={<HealthMark health={healthOf(edge)} size={10} />}>{nameOf(edge.source)}</Name>
          </button>
        ),
      },
      {
        key: "target",
        header: t("map.to"),
        width: 260,
        phoneWidth: 110,
        cell: ({ target }) => <Name>{nameOf(target)}</Name>,
      },
      ...figures,
      {
        key: "there",
        header: t("map.p95There"),
        width: 104,
        align: "right",
        cell: ({ other_end }) => <Amount of={duration(other_end?.p95_ms)} unitWidth={3} />,
      },
      {
        key: "between",
        header: t("map.betweenShort"),
        width: 104,
        align: "right",
        cell: (edge) => (
          <Amount of={duration(edge.other_end?.waiting_ms)} unitWidth={3} tone={disagrees(edge) ? "warn" : undefined} />
        ),
      },
    ],
    [t, figures, nameOf, onCall],
  );
  return (
    <div className={classes.lists} data-testid={TEST_IDS.mapList}>
      <Panel title={t("map.nodes", { count: map.nodes.length })} flush>
        <DataTable
          label={t("map.nodes", { count: map.nodes.length })}
          columns={nodes}
          rows={map.nodes}
          rowKey={({ id }) => id}
          maxHeight="45dvh"
          rowHeight={32}
          onOpen={({ id }) => onSelect(id)}
        />
      </Panel>
      <Panel title={t("map.calls", { count: map.edges.length })} flush>
        <DataTable
          label={t("map.calls", { count: map.edges.length })}
          columns={calls}
          rows={map.edges}
          rowKey={({ source, target }) => callId(source, target)}
          onOpen={({ source, target }) => onCall(callId(source, target))}
          maxHeight="45dvh"
          rowHeight={32}
        />
      </Panel>
    </div>
  );
}

function figureColumns<Row extends MapNode | MapEdge>(
  t: ReturnType<typeof useWords>["t"],
  seconds: number,
): Column<Row>[] {
  return [
    {
      key: "traffic",
      header: t("figure.traffic"),
      width: 104,
      align: "right",
      cell: ({ requests }) => <Amount of={rate(requests / seconds)} unitWidth={4} />,
    },
    {
      key: "failed",
      header: t("figure.failed"),
      width: 90,
      align: "right",
      cell: ({ requests, errors }) => (
        <Amount of={percent(requests ? errors / requests : null)} unitWidth={2} tone={toneOf({ requests, errors })} />
      ),
    },
    {
      key: "average",
      header: t("figure.average"),
      width: 96,
      align: "right",
      cell: ({ average_ms }) => <Amount of={duration(average_ms)} unitWidth={3} />,
    },
    {
      key: "p95",
      header: "p95",
      width: 96,
      align: "right",
      cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
    },
  ];
}
