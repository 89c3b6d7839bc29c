import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { ErrorPlace } from "../../api/errorsTypes";
import { ago, count, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";

interface Props {
  title: string;
  kind: "endpoint" | "instance";
  places: readonly ErrorPlace[];
}

/** Where it happens. An endpoint's row leads to its failed traces, an instance's to the service. */
export function PlaceTable({ title, kind, places }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<ErrorPlace>[]>(
    () => [
      {
        key: "name",
        header: t(kind),
        cell: ({ app, service, name }) =>
          kind === "endpoint" ? (
            <Link to="/traces" search={{ service, endpoint: name, error: true }} preload={false}>
              <Name>{name || NOTHING}</Name>
            </Link>
          ) : (
            <Link to="/services/$service" params={{ service }} search={{ app }} preload={false}>
              <Name>{name || NOTHING}</Name>
            </Link>
          ),
      },
      {
        key: "service",
        header: t("service"),
        width: 140,
        phoneLast: true,
        cell: ({ service }) => <Name>{service}</Name>,
      },
      {
        key: "times",
        header: t("errors.times"),
        width: 92,
        align: "right",
        cell: ({ times }) => <Amount of={count(times)} />,
      },
      {
        key: "last",
        header: t("errors.last"),
        width: 112,
        align: "right",
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language, kind],
  );
  return (
    <Panel title={title} flush>
      <DataTable
        label={title}
        columns={columns}
        rows={places}
        rowKey={({ app, service, name }) => `${app}\n${service}\n${name}`}
        onOpen={
          kind === "endpoint"
            ? ({ service, name }) => navigate({ to: "/traces", search: { service, endpoint: name, error: true } })
            : undefined
        }
        maxHeight="320px"
        rowHeight={32}
        restWidth={180}
      />
    </Panel>
  );
}
