import { SegmentedControl } from "@mantine/core";
import { lazy, type ReactNode, Suspense, useDeferredValue, useMemo } from "react";

import { count, duration } from "../../domain/format";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { ChartSkeleton } from "../Skeletons";
import { Butterfly } from "./Butterfly";
import { Cost } from "./CostTable";
import { aroundFunction, type CallRow, type Calls, centreOf, functionInAddress } from "./calls";
import { placeOf } from "./frames";
import { Place } from "./Place";
import classes from "./ProfileView.module.css";

const CallGraph = lazy(() => import("./CallGraph"));

export const CALLS_VIEWS = ["table", "callers", "graph"] as const;
export type CallsViewName = (typeof CALLS_VIEWS)[number];

export interface CallsSearch {
  view?: CallsViewName;
  q?: string;
  sort?: string;
  fn?: string;
}

interface Props {
  title: string;
  calls: Calls;
  search: CallsSearch;
  onSearch: (next: Partial<CallsSearch>) => void;
  aside?: ReactNode;
}

/** Counted calls as table, around one function, and as a picture of its surroundings. */
export function CallsView({ title, calls, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const { view = "table", q = "", sort = "-self", fn } = search;
  const words = useDeferredValue(q);
  const centre = centreOf(calls, fn);
  const onFunction = (index: number) =>
    onSearch({ fn: functionInAddress(calls, index), view: view === "table" ? "callers" : view });
  return (
    <Panel
      title={title}
      flush
      testId={TEST_IDS.profile}
      aside={
        <>
          {aside}
          <SegmentedControl
            size="xs"
            value={view}
            onChange={(chosen) => onSearch({ view: chosen as CallsViewName })}
            data={CALLS_VIEWS.map((value) => ({ value, label: t(`profile.view.${value}`) }))}
          />
        </>
      }
    >
      {view !== "graph" && (
        <div className={classes.tools}>
          <SearchField
            label={t("profile.search")}
            value={q}
            onChange={(typed) => onSearch({ q: typed || undefined })}
          />
        </div>
      )}
      {calls.rows.length === 0 ? (
        <Empty title={t("profile.empty")}>{t("profile.empty.hint")}</Empty>
      ) : view === "table" ? (
        <CallTable
          calls={calls}
          words={words}
          sort={sort}
          onSort={(next) => onSearch({ sort: next })}
          {...{ onFunction }}
        />
      ) : view === "callers" ? (
        <Around calls={calls} centre={centre} words={words} onFunction={onFunction} />
      ) : (
        <Suspense fallback={<ChartSkeleton height={320} />}>
          <CallGraph calls={calls} centre={centre} onFunction={onFunction} />
        </Suspense>
      )}
    </Panel>
  );
}

interface TableProps {
  calls: Calls;
  words: string;
  sort: string;
  onSort: (sort: string) => void;
  onFunction: (index: number) => void;
}

function CallTable({ calls, words, sort, onSort, onFunction }: TableProps) {
  const { t } = useWords();
  const shown = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    return calls.rows.filter(({ name, file }) =>
      wanted.every((word) => `${name}\n${file}`.toLowerCase().includes(word)),
    );
  }, [calls, words]);
  const columns = useMemo<Column<CallRow>[]>(() => {
    const most = calls.rows.reduce((found, { self }) => Math.max(found, self), 0);
    const waited = calls.rows.some(({ waiting }) => waiting);
    return [
      {
        key: "name",
        header: t("profile.by.function"),
        sortBy: ({ name }) => name,
        cell: ({ name }) => <Name mono>{name}</Name>,
      },
      {
        key: "place",
        header: t("profile.place"),
        width: 260,
        phoneLast: true,
        sortBy: ({ file, line }) => placeOf(file, line),
        cell: ({ file, line }) => <Place file={file} line={line} />,
      },
      {
        key: "calls",
        header: t("profile.calls"),
        width: 110,
        align: "right",
        sortBy: (row) => row.calls,
        cell: (row) => <Amount of={count(row.calls)} />,
      },
      {
        key: "self",
        header: t("flame.self"),
        width: 230,
        align: "right",
        sortBy: ({ self }) => self,
        cell: ({ self }) => <Cost weight={self} all={calls.weight} most={most} unit="nanoseconds" />,
      },
      {
        key: "total",
        header: t("flame.total"),
        width: 110,
        align: "right",
        sortBy: ({ total }) => total,
        cell: ({ total }) => <Amount of={duration(total / 1e6)} unitWidth={3} />,
      },
      {
        key: "each",
        header: t("profile.perCall"),
        width: 110,
        align: "right",
        sortBy: (row) => (row.calls ? row.total / row.calls : null),
        cell: (row) => <Amount of={duration(row.calls ? row.total / row.calls / 1e6 : null)} unitWidth={3} />,
      },
      ...(waited
        ? [
            {
              key: "waiting",
              header: t("profile.waiting"),
              width: 110,
              align: "right" as const,
              sortBy: ({ waiting }: CallRow) => waiting,
              cell: ({ waiting }: CallRow) => (
                <Amount of={duration(waiting === null ? null : waiting / 1e6)} unitWidth={3} />
              ),
            },
          ]
        : []),
    ];
  }, [t, calls]);
  if (shown.length === 0) return <Empty title={t("overview.noMatch", { words })} />;
  return (
    <DataTable
      label={t("profile.view.table")}
      testId={TEST_IDS.costTable}
      columns={columns}
      rows={shown}
      rowKey={({ key }) => key}
      sort={sort}
      onSort={onSort}
      onOpen={({ index }) => onFunction(index)}
      rowHeight={30}
      restWidth={240}
      maxHeight="66dvh"
    />
  );
}

interface AroundProps {
  calls: Calls;
  centre: number;
  words: string;
  onFunction: (index: number) => void;
}

function Around({ calls, centre, words, onFunction }: AroundProps) {
  const { t } = useWords();
  const outside = t("profile.outside");
  const around = useMemo(() => aroundFunction(calls, centre, outside), [calls, centre, outside]);
  const byTotal = useMemo(() => [...calls.rows].sort((a, b) => b.total - a.total), [calls]);
  const row = calls.rows[centre];
  if (!row) return null;
  return (
    <Butterfly
      functions={byTotal}
      centre={row}
      around={around}
      unit="nanoseconds"
      all={calls.weight}
      words={words}
      onOpen={({ key }) => {
        const found = calls.rows.find((one) => one.key === key);
        if (found) onFunction(found.index);
      }}
    />
  );
}
