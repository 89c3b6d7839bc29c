import { useMemo } from "react";

import type { Instance } from "../../api/types";
import { ago, duration, percent, rate } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";

/** The processes of the service: one that is slower or fails more than its like stands out here. */
export function InstanceTable({ instances }: { instances: readonly Instance[] }) {
  const { t, language } = useWords();
  const columns = useMemo<Column<Instance>[]>(
    () => [
      {
        key: "instance",
        header: t("instance"),
        cell: (row) => (
          <Name mono mark={<HealthMark health={healthOf(row)} size={10} />}>
            {row.instance}
          </Name>
        ),
      },
      {
        key: "traffic",
        header: t("figure.traffic"),
        width: 104,
        align: "right",
        cell: ({ requests_per_s }) => <Amount of={rate(requests_per_s)} unitWidth={4} />,
      },
      {
        key: "success",
        header: t("figure.success"),
        width: 100,
        align: "right",
        cell: ({ success_rate }) => <Amount of={percent(success_rate)} unitWidth={2} />,
      },
      {
        key: "p95",
        header: "p95",
        width: 92,
        align: "right",
        cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
      },
      {
        key: "seen",
        header: t("figure.lastSeen"),
        width: 116,
        align: "right",
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language],
  );
  return (
    <Panel title={t("figure.instances")} flush>
      {instances.length === 0 ? (
        <Empty title={t("service.noRequests")} />
      ) : (
        <DataTable
          label={t("figure.instances")}
          columns={columns}
          rows={instances}
          rowKey={({ instance }) => instance}
          maxHeight="320px"
          rowHeight={32}
          restWidth={180}
        />
      )}
    </Panel>
  );
}
