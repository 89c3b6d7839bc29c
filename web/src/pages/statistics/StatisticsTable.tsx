import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import type { StatisticsFilter } from "../../api/statistics";
import type { By, Measured, Statistics, StatisticsRow } from "../../api/statisticsTypes";
import { count, duration, NOTHING, percent, plain, type Quantity } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { Change, type ChangeKind } from "../../parts/Change";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import type { SortKey } from "../../parts/tableOrder";
import type { TracesSearch } from "../../routes/traces";
import { TEST_IDS } from "../../testIds";
import { below, isBetweenServices, nameOf, tracesOf } from "./drill";
import classes from "./StatisticsPage.module.css";
import { TierBar } from "./TierBar";

interface Props {
  found: Statistics;
  rows: readonly StatisticsRow[];
  filter: StatisticsFilter;
  appName: (id: string) => string;
  sort: string;
  onSort: (sort: string) => void;
  foot: ReactNode;
}

interface FigureColumn {
  key: string;
  header: string;
  width: number;
  of: (measured: Measured) => number | null;
  format: (value: number | null) => Quantity;
  unitWidth?: number;
  better: "up" | "down" | "neither";
  kind?: ChangeKind;
  /** Of the requests that the figure is about, beyond those of the row. */
  traces?: (value: number | null) => TracesSearch;
  tone?: (value: number | null) => "error" | undefined;
  sorts?: boolean;
}

const SLOWEST: TracesSearch = { order: "slowest" };
const slowerThan = (value: number | null): TracesSearch =>
  value === null ? SLOWEST : { order: "slowest", min_ms: Math.floor(value * 100) / 100 };

/** A row leads one level down, a figure to the traces behind it. */
export function StatisticsTable({ found, rows, filter, appName, sort, onSort, foot }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const { by } = found;
  const compares = found.compared_from !== null;
  const figures = useMemo<FigureColumn[]>(() => {
    const time = (key: string, header: string, of: FigureColumn["of"], traces = slowerThan): FigureColumn => ({
      key,
      header,
      of,
      traces,
      width: 78,
      format: duration,
      unitWidth: 3,
      better: "down",
      sorts: key !== "min",
    });
    return [
      {
        key: "requests",
        header: t("figure.requests"),
        width: 98,
        of: ({ requests }) => requests,
        format: count,
        better: "neither",
        sorts: true,
      },
      {
        key: "success",
        header: t("figure.success"),
        width: 80,
        of: ({ success_rate }) => success_rate,
        format: percent,
        unitWidth: 2,
        better: "up",
        kind: "points",
        sorts: true,
      },
      {
        key: "errors",
        header: t("figure.errors"),
        width: 68,
        of: ({ errors }) => errors,
        format: count,
        better: "down",
        traces: () => ({ error: true }),
        tone: (value) => (value ? "error" : undefined),
        sorts: true,
      },
      time(
        "average",
        t("figure.average"),
        ({ average_ms }) => average_ms,
        () => ({}),
      ),
      time(
        "min",
        t("statistics.min"),
        ({ min_ms }) => min_ms,
        () => ({}),
      ),
      time(
        "max",
        t("figure.max"),
        ({ max_ms }) => max_ms,
        () => SLOWEST,
      ),
      time("p50", "p50", ({ p50_ms }) => p50_ms),
      time("p90", "p90", ({ p90_ms }) => p90_ms),
      time("p95", "p95", ({ p95_ms }) => p95_ms),
      time("p99", "p99", ({ p99_ms }) => p99_ms),
      {
        key: "apdex",
        header: t("figure.apdex"),
        width: 62,
        of: ({ apdex }) => apdex,
        format: (value) => plain(value, 2),
        better: "up",
        kind: "absolute",
      },
      {
        key: "timeouts",
        header: t("statistics.timeouts"),
        width: 74,
        of: ({ timeouts }) => timeouts,
        format: count,
        better: "down",
        traces: () => SLOWEST,
        tone: (value) => (value ? "error" : undefined),
      },
    ];
  }, [t]);
  const columns = useMemo<Column<StatisticsRow>[]>(
    () => [
      {
        key: "name",
        header: t(`statistics.by.${by}`),
        sortBy: (row) => nameOf(row, by),
        cell: (row) => <RowName row={row} by={by} filter={filter} />,
      },
      ...(by !== "service" && !filter.service && by !== "caller" && by !== "callee"
        ? [serviceColumn(t("service"), rows)].flat()
        : []),
      ...(filter.app || new Set(rows.map(({ app }) => app)).size < 2
        ? []
        : [
            {
              key: "app",
              header: t("statistics.app"),
              width: 120,
              cell: (row: StatisticsRow) => <Name>{appName(row.app)}</Name>,
            },
          ]),
      ...figures.map(
        (figure): Column<StatisticsRow> => ({
          key: figure.key,
          header: figure.header,
          width: figure.width,
          align: "right",
          ...(figure.sorts && { sortBy: (row): SortKey => figure.of(row) }),
          cell: (row) => (
            <FigureCell
              figure={figure}
              row={row}
              compares={compares}
              search={{ ...tracesOf(row, by, filter), ...bounds(figure, row, by) }}
            />
          ),
        }),
      ),
      { key: "tiers", header: t("statistics.tiers"), width: 90, cell: ({ tiers }) => <TierBar tiers={tiers} /> },
    ],
    [t, by, filter, figures, compares, rows, appName],
  );
  return (
    <DataTable
      label={t("nav.statistics")}
      testId={TEST_IDS.statisticsTable}
      columns={columns}
      rows={rows}
      rowKey={(row) => keyOf(row)}
      sort={sort}
      onSort={onSort}
      onOpen={(row) => {
        const next = below(row, by, filter);
        if (next) void navigate({ to: "/statistics", search: (before) => ({ ...before, ...EVERY, ...next }) });
        else void navigate({ to: "/traces", search: tracesOf(row, by, filter) });
      }}
      rowHeight={compares ? 46 : 36}
      restWidth={columns.length > figures.length + 2 ? 240 : 186} // beside a service or an app it scrolls in any case
      foot={foot}
    />
  );
}

/** Calls last longer than the requests that stand for them: a bound of the one is none of the other. */
function bounds(figure: FigureColumn, row: StatisticsRow, by: By): TracesSearch {
  const search = figure.traces?.(figure.of(row)) ?? {};
  return isBetweenServices(row, by) ? { ...search, min_ms: undefined } : search;
}

/** What a step down leaves out is named, else it would be kept from before. */
const EVERY = {
  app: undefined,
  service: undefined,
  endpoint: undefined,
  instance: undefined,
  kind: undefined,
  status: undefined,
  q: undefined,
};

const keyOf = (row: StatisticsRow) =>
  [
    row.app,
    row.service,
    row.endpoint,
    row.kind,
    row.instance,
    row.host,
    row.status_code,
    row.peer,
    row.system,
    row.address,
  ]
    .map((part) => part ?? "")
    .join("\n");

function serviceColumn(header: string, rows: readonly StatisticsRow[]): Column<StatisticsRow>[] {
  if (!rows.some(({ service }) => service)) return [];
  return [{ key: "service", header, width: 140, cell: ({ service }) => <Name>{service ?? NOTHING}</Name> }];
}

function RowName({ row, by, filter }: { row: StatisticsRow; by: By; filter: StatisticsFilter }) {
  const name = nameOf(row, by) || NOTHING;
  const next = below(row, by, filter);
  return next ? (
    <Link to="/statistics" search={(before) => ({ ...before, ...EVERY, ...next })} preload={false}>
      <Name>{name}</Name>
    </Link>
  ) : (
    <Link to="/traces" search={tracesOf(row, by, filter)} preload={false}>
      <Name>{name}</Name>
    </Link>
  );
}

interface CellProps {
  figure: FigureColumn;
  row: StatisticsRow;
  compares: boolean;
  search: TracesSearch;
}

function FigureCell({ figure, row, compares, search }: CellProps) {
  const { t } = useWords();
  const value = figure.of(row);
  const amount = <Amount of={figure.format(value)} unitWidth={figure.unitWidth} tone={figure.tone?.(value)} />;
  return (
    <span className={classes.cell}>
      {value === null || value === 0 ? (
        amount
      ) : (
        <Link to="/traces" search={search} title={t("statistics.traces")} preload={false}>
          {amount}
        </Link>
      )}
      {compares && (
        <span className={classes.then}>
          <Change
            now={value}
            then={row.compared ? figure.of(row.compared) : null}
            better={figure.better}
            kind={figure.kind}
            label=""
          />
        </span>
      )}
    </span>
  );
}
