import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { Caller } from "../../api/slowTypes";
import { count, duration } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";

interface Props {
  callers: readonly Caller[];
  /** Which calls these are, where they are not all. */
  note: string;
}

/** The requests that make these calls; each row leads to their traces. */
export function CallerTable({ callers, note }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<Caller>[]>(
    () => [
      {
        key: "endpoint",
        header: t("endpoint"),
        cell: ({ service, endpoint }) =>
          endpoint ? (
            <Link to="/traces" search={{ service, endpoint, order: "slowest" }} preload={false}>
              <Name>{endpoint}</Name>
            </Link>
          ) : (
            <span className="muted">{t("slow.callers.unknown")}</span>
          ),
      },
      {
        key: "service",
        header: t("service"),
        width: 150,
        phoneLast: true,
        cell: ({ app, service }) => (
          <Link to="/services/$service" params={{ service }} search={{ app }} preload={false}>
            <Name>{service}</Name>
          </Link>
        ),
      },
      {
        key: "calls",
        header: t("slow.calls"),
        width: 88,
        align: "right",
        cell: ({ calls }) => <Amount of={count(calls)} />,
      },
      {
        key: "total",
        header: t("slow.total"),
        width: 96,
        align: "right",
        cell: ({ total_ms }) => <Amount of={duration(total_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("slow.callers.title")} aside={note} flush testId={TEST_IDS.slowCallers}>
      <DataTable
        label={t("slow.callers.title")}
        columns={columns}
        rows={callers}
        rowKey={({ app, service, endpoint }) => `${app}\n${service}\n${endpoint}`}
        onOpen={({ service, endpoint }) =>
          navigate({ to: "/traces", search: { service, endpoint: endpoint || undefined, order: "slowest" } })
        }
        maxHeight="320px"
        rowHeight={32}
        restWidth={180}
      />
    </Panel>
  );
}
