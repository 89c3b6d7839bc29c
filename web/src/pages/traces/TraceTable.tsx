import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import type { TraceRow } from "../../api/types";
import { duration, moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { StatusCode } from "../../parts/StatusCode";
import { TEST_IDS } from "../../testIds";
import classes from "./TraceTable.module.css";

interface Props {
  rows: readonly TraceRow[];
  onEnd: () => void;
  foot: ReactNode;
}

/** In the order of the answer: the server sorts, for it knows the rows that are not here yet. */
export function TraceTable({ rows, onEnd, foot }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const longest = useMemo(() => rows.reduce((most, { duration_ms }) => Math.max(most, duration_ms), 0), [rows]);
  const columns = useMemo<Column<TraceRow>[]>(
    () => [
      {
        key: "time",
        header: t("time"),
        width: 158,
        phoneLast: true,
        cell: ({ start_time }) => <span className="muted">{moment(start_time).slice(5)}</span>,
      },
      {
        key: "endpoint",
        header: t("endpoint"),
        cell: (row) => (
          <Link to="/traces/$traceId" params={{ traceId: row.trace_id }} search={{ span: row.span_id }} preload={false}>
            <Name
              mark={row.error ? <HealthMark health="error" size={10} /> : <span style={{ width: 10, flex: "none" }} />}
            >
              {row.endpoint}
            </Name>
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
      { key: "status", header: t("status"), width: 72, cell: ({ status_code }) => <StatusCode code={status_code} /> },
      {
        key: "duration",
        header: t("span.duration"),
        width: 290,
        phoneWidth: 106,
        cell: (row) => (
          <div className={classes.duration}>
            <Amount of={duration(row.duration_ms)} unitWidth={3} />
            <div className={classes.track}>
              <div
                className={classes.bar}
                data-error={row.error || undefined}
                style={{ width: `${longest ? (row.duration_ms / longest) * 100 : 0}%` }}
              />
            </div>
          </div>
        ),
      },
      {
        key: "trace",
        header: t("trace"),
        width: 104,
        phoneLast: true,
        cell: ({ trace_id }) => (
          <span className="mono muted" title={trace_id}>
            {trace_id.slice(0, 8)}
          </span>
        ),
      },
    ],
    [t, longest],
  );
  return (
    <div className={classes.table}>
      <Panel flush>
        <DataTable
          label={t("nav.traces")}
          testId={TEST_IDS.tracesTable}
          columns={columns}
          rows={rows}
          rowKey={({ trace_id, span_id }) => `${trace_id}${span_id}`}
          onOpen={({ trace_id, span_id }) =>
            navigate({ to: "/traces/$traceId", params: { traceId: trace_id }, search: { span: span_id } })
          }
          onEnd={onEnd}
          foot={foot}
          rowHeight={32}
          restWidth={230}
          maxHeight="max(280px, calc(100dvh - 276px))"
        />
      </Panel>
    </div>
  );
}
