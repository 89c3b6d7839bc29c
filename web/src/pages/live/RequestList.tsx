import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import type { TraceRow } from "../../api/types";
import { duration, moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Panel } from "../../parts/Panel";

interface Props {
  title: string;
  rows: readonly TraceRow[];
  /** Beside the title. */
  aside?: string;
  testId?: string;
}

/** Requests in the order they are given, each a link to its trace. */
export function RequestList({ title, rows, aside, testId }: Props) {
  const { t } = useWords();
  const columns = useMemo<Column<TraceRow>[]>(
    () => [
      {
        key: "time",
        header: t("time"),
        width: 84,
        cell: ({ start_time }) => <span className="muted">{moment(start_time, "time").slice(0, 8)}</span>,
      },
      {
        key: "endpoint",
        header: t("endpoint"),
        cell: ({ trace_id, span_id, service, endpoint, error }) => (
          <Link to="/traces/$traceId" params={{ traceId: trace_id }} search={{ span: span_id }} preload={false}>
            <span className="ellipsis" title={`${service} ${endpoint}`}>
              {error && <HealthMark health="error" size={9} />} {endpoint} <span className="muted">{service}</span>
            </span>
          </Link>
        ),
      },
      {
        key: "duration",
        header: t("span.duration"),
        width: 92,
        align: "right",
        cell: ({ duration_ms }) => <Amount of={duration(duration_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={title} flush testId={testId} aside={aside && <span className="muted">{aside}</span>}>
      {rows.length === 0 ? (
        <Empty title={t("live.quiet")} />
      ) : (
        <DataTable
          label={title}
          columns={columns}
          rows={rows}
          rowKey={({ trace_id, span_id }) => trace_id + span_id}
          maxHeight="420px"
          rowHeight={30}
          restWidth={180}
        />
      )}
    </Panel>
  );
}
