import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { TraceRow } from "../../api/types";
import { duration, moment, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { type Dot, Scatter } from "../../parts/Scatter";
import { TEST_IDS } from "../../testIds";

interface Props {
  rows: readonly TraceRow[];
  from: number;
  to: number;
  onSelect: (from: number, to: number) => void;
}

/** More dots than these hide each other: then every second, third … request stands for its like. */
const MOST_DOTS = 2000;

/** No failed request is left out. */
function sampled(rows: readonly TraceRow[]): readonly TraceRow[] {
  const every = Math.ceil(rows.length / MOST_DOTS);
  return every <= 1 ? rows : rows.filter(({ error }, index) => error || index % every === 0);
}

export function TraceScatter({ rows, from, to, onSelect }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const dots = useMemo<Dot[]>(
    () =>
      sampled(rows).map((row) => ({
        key: row.trace_id + row.span_id,
        time: new Date(row.start_time).getTime(),
        duration_ms: row.duration_ms,
        error: row.error,
        title: `${row.service} ${row.endpoint}\n${moment(row.start_time, "time")} · ${text(duration(row.duration_ms))}`,
      })),
    [rows],
  );
  const open = (key: string) => {
    const row = rows.find(({ trace_id, span_id }) => trace_id + span_id === key);
    if (row)
      void navigate({ to: "/traces/$traceId", params: { traceId: row.trace_id }, search: { span: row.span_id } });
  };
  return (
    <Panel flush testId={TEST_IDS.tracesScatter}>
      <Scatter
        label={t("traces.scatter", { count: dots.length })}
        dots={dots}
        from={from}
        to={to}
        onOpen={open}
        onSelect={onSelect}
      />
    </Panel>
  );
}
