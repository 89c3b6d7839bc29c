import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { SlowCall } from "../../api/slowTypes";
import { duration, moment, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";

/** The slowest calls, one of each trace; a row leads into its trace. */
export function SlowestTable({ calls }: { calls: readonly SlowCall[] }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<SlowCall>[]>(
    () => [
      {
        key: "time",
        header: t("time"),
        width: 232,
        phoneWidth: 216,
        cell: ({ trace_id, span_id, start_time, error }) => (
          <Link to="/traces/$traceId" params={{ traceId: trace_id }} search={{ span: span_id }} preload={false}>
            <Name mark={<HealthMark health={error ? "error" : "ok"} size={10} />}>{moment(start_time)}</Name>
          </Link>
        ),
      },
      {
        key: "service",
        header: t("service"),
        width: 170,
        phoneLast: true,
        cell: ({ service }) => <Name>{service}</Name>,
      },
      {
        key: "instance",
        header: t("instance"),
        phoneLast: true,
        cell: ({ instance }) => <Name>{instance || NOTHING}</Name>,
      },
      {
        key: "peer",
        header: t("slow.peers"),
        width: 200,
        phoneLast: true,
        cell: ({ peer }) => <Name>{peer || NOTHING}</Name>,
      },
      {
        key: "duration",
        header: t("span.duration"),
        width: 104,
        align: "right",
        cell: ({ duration_ms }) => <Amount of={duration(duration_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("slow.slowest")} flush testId={TEST_IDS.slowestCalls}>
      <DataTable
        label={t("slow.slowest")}
        columns={columns}
        rows={calls}
        rowKey={({ trace_id, span_id }) => trace_id + span_id}
        onOpen={({ trace_id, span_id }) =>
          navigate({ to: "/traces/$traceId", params: { traceId: trace_id }, search: { span: span_id } })
        }
        maxHeight="420px"
        rowHeight={32}
        restWidth={160}
      />
    </Panel>
  );
}
