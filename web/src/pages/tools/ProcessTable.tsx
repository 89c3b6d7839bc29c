import { useMemo } from "react";

import type { Process } from "../../api/types";
import { ago } from "../../domain/format";
import { useWords } from "../../i18n";
import { type Column, DataTable } from "../../parts/DataTable";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";
import { processKey } from "./processKey";

interface Props {
  processes: readonly Process[];
  sort: string;
  onSort: (sort: string) => void;
  /** Key of the chosen process. */
  chosen: string | undefined;
  onChoose: (key: string) => void;
}

/** Processes that an agent has a connection to. */
export function ProcessTable({ processes, sort, onSort, chosen, onChoose }: Props) {
  const { t, language } = useWords();
  const columns = useMemo<Column<Process>[]>(
    () => [
      {
        key: "service",
        header: t("service"),
        width: 190,
        sortBy: ({ service }) => service,
        cell: (row) => (
          <button
            type="button"
            style={{ all: "unset", cursor: "pointer", display: "block", width: "100%" }}
            onClick={() => onChoose(processKey(row))}
          >
            <Name mark={<HealthMark health={row.node_connected ? "ok" : "idle"} size={10} />}>{row.service}</Name>
          </button>
        ),
      },
      { key: "pid", header: "PID", width: 84, align: "right", sortBy: ({ pid }) => pid, cell: ({ pid }) => pid },
      {
        key: "host",
        header: t("nodes.host"),
        width: 160,
        sortBy: ({ host }) => host,
        cell: ({ host, node }) => <Name>{host || node}</Name>,
      },
      {
        key: "instance",
        header: t("instance"),
        width: 180,
        sortBy: ({ instance }) => instance,
        cell: ({ instance }) => <Name mono>{instance}</Name>,
      },
      {
        key: "language",
        header: t("language"),
        width: 100,
        sortBy: ({ language: spoken }) => spoken,
        cell: ({ language: spoken }) => <span className="muted">{spoken}</span>,
      },
      {
        key: "command",
        header: t("tools.command"),
        sortBy: ({ command }) => command,
        cell: ({ command }) => <Name mono>{command}</Name>,
      },
      {
        key: "since",
        header: t("tools.since"),
        width: 120,
        align: "right",
        sortBy: ({ connected_at }) => (connected_at ? new Date(connected_at).getTime() : null),
        cell: ({ connected_at }) => <span className="muted">{connected_at && ago(connected_at, language)}</span>,
      },
    ],
    [t, language, onChoose],
  );
  return (
    <DataTable
      label={t("tools.process")}
      testId={TEST_IDS.processTable}
      columns={columns}
      rows={processes}
      rowKey={processKey}
      sort={sort}
      onSort={onSort}
      onOpen={(row) => onChoose(processKey(row))}
      selected={chosen}
      rowHeight={32}
      restWidth={220}
      maxHeight={chosen ? "max(180px, 30dvh)" : "max(240px, 46dvh)"}
    />
  );
}
