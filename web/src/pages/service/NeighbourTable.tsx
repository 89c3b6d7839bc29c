import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import type { Neighbour } from "../../api/types";
import { duration, percent, rate } from "../../domain/format";
import { healthOf, toneOf } from "../../domain/health";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";

interface Props {
  title: string;
  empty: string;
  rows: readonly Neighbour[];
  seconds: number;
}

/** Who calls the service, or what it calls. */
export function NeighbourTable({ title, empty, rows, seconds }: Props) {
  const { t } = useWords();
  const columns = useMemo<Column<Neighbour>[]>(
    () => [
      {
        key: "name",
        header: t("name"),
        cell: (row) => {
          const name = <Name mark={<HealthMark health={healthOf(row)} size={10} />}>{row.name}</Name>;
          return row.type === "service" ? (
            <Link to="/services/$service" params={{ service: row.name }} preload={false}>
              {name}
            </Link>
          ) : (
            name
          );
        },
      },
      {
        key: "type",
        header: t("type"),
        width: 84,
        cell: ({ type, system }) => <span className="muted">{system || t(`type.${type}`)}</span>,
      },
      {
        key: "traffic",
        header: t("figure.traffic"),
        width: 92,
        align: "right",
        cell: ({ requests }) => <Amount of={rate(requests / seconds)} unitWidth={4} />,
      },
      {
        key: "errors",
        header: t("figure.errors"),
        width: 76,
        align: "right",
        cell: ({ requests, errors }) => (
          <Amount of={percent(requests ? errors / requests : null)} unitWidth={2} tone={toneOf({ requests, errors })} />
        ),
      },
      {
        key: "average",
        header: t("figure.average"),
        width: 84,
        align: "right",
        cell: ({ average_ms }) => <Amount of={duration(average_ms)} unitWidth={3} />,
      },
      {
        key: "p95",
        header: "p95",
        width: 84,
        align: "right",
        cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
      },
    ],
    [t, seconds],
  );
  return (
    <Panel title={title} flush>
      {rows.length === 0 ? (
        <Empty title={empty} />
      ) : (
        <DataTable
          label={title}
          columns={columns}
          rows={rows}
          rowKey={({ type, name }) => `${type} ${name}`}
          maxHeight="320px"
          rowHeight={32}
          restWidth={160}
        />
      )}
    </Panel>
  );
}
