import { useMemo } from "react";

import { duration } from "../../domain/format";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { StatusCode } from "../StatusCode";
import type { ServedRequest } from "./cpuProfile";

interface Props {
  requests: readonly ServedRequest[];
  sort: string;
  onSort: (sort: string) => void;
}

/** HTTP requests that were answered while a CPU profile was taken. */
export function RequestTable({ requests, sort, onSort }: Props) {
  const { t } = useWords();
  const columns = useMemo<Column<ServedRequest>[]>(
    () => [
      {
        key: "offset",
        header: t("nodejs.request.offset"),
        width: 96,
        align: "right",
        firstDescending: false,
        sortBy: ({ offset_ms }) => offset_ms,
        cell: ({ offset_ms }) => <Amount of={duration(offset_ms)} unitWidth={3} />,
      },
      { key: "method", header: t("nodejs.request.method"), width: 84, cell: ({ method }) => method },
      { key: "url", header: "URL", sortBy: ({ url }) => url, cell: ({ url }) => <Name mono>{url}</Name> },
      {
        key: "status",
        header: t("status"),
        width: 150,
        sortBy: ({ status }) => status,
        cell: ({ status, sent }) => (
          <>
            <StatusCode code={status} /> {!sent && <span className="muted">{t("nodejs.request.unsent")}</span>}
          </>
        ),
      },
      {
        key: "took",
        header: t("span.duration"),
        width: 110,
        align: "right",
        sortBy: ({ duration_ms }) => duration_ms,
        cell: ({ duration_ms }) => <Amount of={duration(duration_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("nodejs.requests", { count: requests.length })} flush testId={TEST_IDS.nodejsRequests}>
      <DataTable
        label={t("nodejs.requests", { count: requests.length })}
        columns={columns}
        rows={requests}
        rowKey={({ key }) => String(key)}
        sort={sort}
        onSort={onSort}
        rowHeight={30}
        restWidth={220}
        maxHeight="44dvh"
      />
    </Panel>
  );
}
