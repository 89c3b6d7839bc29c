import { useMemo } from "react";

import type { ComparedOperation } from "../../api/tracesTypes";
import { duration } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";
import { Difference } from "./Difference";

interface Props {
  operations: readonly ComparedOperation[];
  /** Of the longer trace. */
  longest_ms: number;
}

/** By how much their own time differs, most first: where the time went. */
export function OperationTable({ operations, longest_ms }: Props) {
  const { t } = useWords();
  const columns = useMemo<Column<ComparedOperation>[]>(
    () => [
      { key: "name", header: t("beside.operation"), cell: ({ name }) => <Name>{name}</Name> },
      {
        key: "difference",
        header: t("beside.difference"),
        width: 116,
        align: "right",
        cell: (row) => <Difference ms={row.self_b_ms - row.self_a_ms} of_ms={longest_ms} />,
      },
      { key: "spans", header: t("beside.count"), width: 96, align: "right", cell: (row) => <Count row={row} /> },
      {
        key: "a",
        header: t("beside.selfA"),
        width: 104,
        align: "right",
        cell: (row) => <Amount of={duration(row.spans_a ? row.self_a_ms : null)} unitWidth={3} />,
      },
      {
        key: "b",
        header: t("beside.selfB"),
        width: 104,
        align: "right",
        cell: (row) => <Amount of={duration(row.spans_b ? row.self_b_ms : null)} unitWidth={3} />,
      },
      { key: "service", header: t("service"), width: 160, cell: ({ service }) => <Name>{service}</Name> },
      {
        key: "peer",
        header: t("beside.peer"),
        width: 160,
        cell: ({ peer }) => <span className="muted ellipsis">{peer}</span>,
      },
    ],
    [t, longest_ms],
  );
  return (
    <DataTable
      label={t("beside.operations")}
      testId={TEST_IDS.comparedOperations}
      columns={columns}
      rows={operations}
      rowKey={({ service, name, kind, peer }) => JSON.stringify([service, name, kind, peer])}
      rowHeight={32}
      maxHeight="40dvh"
    />
  );
}

function Count({ row: { spans_a, spans_b } }: { row: ComparedOperation }) {
  return spans_a === spans_b ? (
    <span className="muted">{spans_a}</span>
  ) : (
    <strong>
      {spans_a} → {spans_b}
    </strong>
  );
}
