import { useMemo } from "react";

import type { CalledPeer } from "../../api/slowTypes";
import { count, duration, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";

/** Whom the calls went to. */
export function PeerTable({ peers }: { peers: readonly CalledPeer[] }) {
  const { t } = useWords();
  const columns = useMemo<Column<CalledPeer>[]>(
    () => [
      { key: "peer", header: t("name"), cell: ({ peer }) => <Name>{peer || NOTHING}</Name> },
      {
        key: "calls",
        header: t("slow.calls"),
        width: 88,
        align: "right",
        cell: ({ calls }) => <Amount of={count(calls)} />,
      },
      {
        key: "errors",
        header: t("figure.errors"),
        width: 78,
        phoneLast: true,
        align: "right",
        cell: ({ errors }) => <Amount of={count(errors)} tone={errors > 0 ? "error" : undefined} />,
      },
      {
        key: "p95",
        header: "p95",
        width: 92,
        align: "right",
        cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("slow.peers")} flush>
      <DataTable
        label={t("slow.peers")}
        columns={columns}
        rows={peers}
        rowKey={({ peer }) => peer}
        maxHeight="320px"
        rowHeight={32}
        restWidth={140}
      />
    </Panel>
  );
}
