import { useMemo } from "react";

import type { ErrorMessage } from "../../api/errorsTypes";
import { count, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";

/** What it says, with values left out. */
export function MessageTable({ messages }: { messages: readonly ErrorMessage[] }) {
  const { t } = useWords();
  const columns = useMemo<Column<ErrorMessage>[]>(
    () => [
      { key: "message", header: t("error.message"), cell: ({ message }) => <Name>{message || NOTHING}</Name> },
      {
        key: "times",
        header: t("errors.times"),
        width: 100,
        align: "right",
        cell: ({ times }) => <Amount of={count(times)} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("errors.messages")} flush>
      <DataTable
        label={t("errors.messages")}
        columns={columns}
        rows={messages}
        rowKey={({ message }) => message}
        maxHeight="320px"
        rowHeight={32}
        restWidth={220}
      />
    </Panel>
  );
}
