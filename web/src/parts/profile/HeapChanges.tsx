import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useDeferredValue, useMemo } from "react";

import type { HeapChange, HeapComparison } from "../../api/comparisonsTypes";
import { bytes, count } from "../../domain/format";
import { readOneOf } from "../../domain/search";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { bytesChange, changeTone, countChange } from "./changes";
import type { HeapSearch } from "./HeapView";
import classes from "./ProfileView.module.css";
import { Totals } from "./Totals";

const VIEWS = ["types", "roots", "holders"] as const;
type View = (typeof VIEWS)[number];

interface Props {
  title: string;
  comparison: HeapComparison;
  search: HeapSearch;
  onSearch: (next: Partial<HeapSearch>) => void;
  aside: ReactNode;
}

/** Types, roots and holders that grew and shrank between two heaps. */
export function HeapChanges({ title, comparison, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const view = readOneOf(search.view, VIEWS) ?? "types";
  const words = useDeferredValue(search.q ?? "").toLowerCase();
  const rows = comparison[view];
  const shown = useMemo(
    () => rows.filter(({ name, where }) => `${name} ${where}`.toLowerCase().includes(words)),
    [rows, words],
  );
  const columns = useMemo(() => columnsOf(t, view), [t, view]);
  return (
    <Panel title={title} flush testId={TEST_IDS.heapChanges} aside={aside}>
      <Totals
        rows={[
          { label: t("heap.objects"), before: comparison.before_objects, now: comparison.now_objects, of: count },
          { label: t("heap.bytes"), before: comparison.before_bytes, now: comparison.now_bytes, of: bytes },
        ]}
      />
      <div className={classes.tools}>
        <SearchField
          label={t("heap.search")}
          value={search.q ?? ""}
          onChange={(typed) => onSearch({ q: typed || undefined })}
        />
        <SegmentedControl
          size="xs"
          value={view}
          onChange={(chosen) => onSearch({ view: chosen, sort: undefined })}
          data={VIEWS.map((value) => ({
            value,
            label: t(value === "holders" ? "heap.view.retained" : `heap.view.${value}`),
          }))}
        />
        {comparison.untold > 0 && (
          <span className={classes.legend}>{t("compare.untold", { count: comparison.untold })}</span>
        )}
      </div>
      {shown.length === 0 ? (
        <Empty title={words ? t("overview.noMatch", { words }) : t("profile.none")} />
      ) : (
        <DataTable
          label={t("compare.changes")}
          columns={columns}
          rows={shown}
          rowKey={({ name, where }) => `${name} ${where}`}
          sort={search.sort ?? "-size"}
          onSort={(sort) => onSearch({ sort })}
          rowHeight={30}
          restWidth={260}
          maxHeight="66dvh"
        />
      )}
    </Panel>
  );
}

function columnsOf(t: Translate, view: View): Column<HeapChange>[] {
  const figure = (
    key: "before_bytes" | "now_bytes" | "before_objects" | "now_objects",
    header: string,
  ): Column<HeapChange> => ({
    key,
    header,
    width: 104,
    align: "right",
    sortBy: (row) => row[key],
    cell: (row) =>
      key.endsWith("bytes") ? <Amount of={bytes(row[key])} unitWidth={4} /> : <Amount of={count(row[key])} />,
  });
  const size: Column<HeapChange> = {
    key: "size",
    header: t(view === "types" ? "compare.bytes" : "compare.kept"),
    width: 140,
    align: "right",
    // the largest change of either sign first
    sortBy: ({ change_bytes }) => Math.abs(change_bytes),
    cell: ({ change_bytes, at_least }) => (
      <Amount of={bytesChange(change_bytes, at_least)} unitWidth={4} tone={changeTone(change_bytes)} />
    ),
  };
  const objects: Column<HeapChange> = {
    key: "objects",
    header: t("compare.objects"),
    width: 120,
    align: "right",
    sortBy: ({ change_objects }) => (change_objects === null ? null : Math.abs(change_objects)),
    cell: ({ change_objects }) => <Amount of={countChange(change_objects)} tone={changeTone(change_objects ?? 0)} />,
  };
  return [
    {
      key: "name",
      header: t(view === "roots" ? "heap.root" : "type"),
      ...(view === "holders" ? { width: 180 } : {}),
      sortBy: ({ name }) => name,
      cell: ({ name }) => <Name mono>{name}</Name>,
    },
    ...(view === "holders"
      ? [
          {
            key: "where",
            header: t("leaks.chain"),
            sortBy: ({ where }: HeapChange) => where,
            cell: ({ where }: HeapChange) => <Name mono>{where}</Name>,
          },
        ]
      : []),
    size,
    {
      key: "state",
      header: t("compare.state"),
      width: 96,
      sortBy: ({ state }) => state,
      cell: ({ state }) => t(`compare.state.${state}`),
    },
    ...(view === "roots"
      ? []
      : [
          figure("before_objects", t("compare.objectsBefore")),
          figure("now_objects", t("compare.objectsNow")),
          objects,
        ]),
    figure("before_bytes", t("compare.bytesBefore")),
    figure("now_bytes", t("compare.bytesNow")),
  ];
}
