import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import type { ComparedSpan, Comparison } from "../../api/tracesTypes";
import { differs, stateOf } from "../../domain/comparison";
import { duration } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./ComparePage.module.css";
import { Difference } from "./Difference";

const INDENT_PX = 12;
/** Deeper ones stand below each other: names need room, too. */
const DEEPEST_INDENT = 14;
const MARKS = { both: "", gone: "−", new: "+" } as const;

/** Both traces as one tree. */
export function SpanTable({ comparison, changedOnly }: { comparison: Comparison; changedOnly: boolean }) {
  const { t } = useWords();
  const { a, b, spans } = comparison;
  const longest = Math.max(a.duration_ms, b.duration_ms, 1e-6);
  const rows = useMemo(
    () => spans.map((span, place) => ({ ...span, place })).filter((span) => !changedOnly || differs(span, longest)),
    [spans, changedOnly, longest],
  );
  const columns = useMemo<Column<(typeof rows)[number]>[]>(
    () => [
      {
        key: "name",
        header: t("beside.span"),
        cell: (row) => (
          <div
            className={classes.sort}
            style={{ paddingLeft: Math.min(row.depth, DEEPEST_INDENT) * INDENT_PX }}
            title={t(`beside.${stateOf(row)}`)}
          >
            <span className={classes.mark}>{MARKS[stateOf(row)]}</span>
            {(row.error_a || row.error_b) && <HealthMark health="error" size={10} />}
            <SpanLink row={row} a={a.trace_id} b={b.trace_id} />
            <span className={`muted ellipsis ${classes.peer}`}>{row.peer || row.service}</span>
          </div>
        ),
      },
      {
        key: "difference",
        header: t("beside.difference"),
        width: 116,
        align: "right",
        cell: (row) =>
          row.duration_a_ms !== null && row.duration_b_ms !== null ? (
            <Difference ms={row.duration_b_ms - row.duration_a_ms} of_ms={longest} />
          ) : (
            <span className="muted">{t(`beside.${stateOf(row)}`)}</span>
          ),
      },
      {
        key: "a",
        header: "A",
        width: 92,
        align: "right",
        cell: (row) => <Amount of={duration(row.duration_a_ms)} unitWidth={3} />,
      },
      {
        key: "b",
        header: "B",
        width: 92,
        align: "right",
        cell: (row) => <Amount of={duration(row.duration_b_ms)} unitWidth={3} />,
      },
      {
        key: "bars",
        header: t("span.duration"),
        width: 200,
        cell: (row) => (
          <div className={classes.bars} aria-hidden="true">
            <div className={classes.bar} style={{ width: `${((row.duration_a_ms ?? 0) / longest) * 100}%` }} />
            <div
              className={classes.bar}
              data-side="B"
              style={{ width: `${((row.duration_b_ms ?? 0) / longest) * 100}%` }}
            />
          </div>
        ),
      },
    ],
    [t, a.trace_id, b.trace_id, longest],
  );
  return (
    <DataTable
      label={t("beside.spans")}
      testId={TEST_IDS.comparedSpans}
      columns={columns}
      rows={rows}
      rowKey={({ place }) => String(place)}
      rowHeight={30}
      maxHeight="70dvh"
      restWidth={220}
      foot={rows.length === 0 ? t("beside.same") : undefined}
    />
  );
}

/** To the span where it is: in B if it is there, for that is the one in question. */
function SpanLink({ row, a, b }: { row: ComparedSpan; a: string; b: string }) {
  return (
    <Link
      to="/traces/$traceId"
      params={{ traceId: row.span_b ? b : a }}
      search={{ span: row.span_b || row.span_a }}
      className="ellipsis"
      preload={false}
    >
      {row.name}
    </Link>
  );
}
