import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useDeferredValue, useMemo } from "react";

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
import { Cost } from "./CostTable";
import { chainText, type GrownHolder, type HeapFile, type HeapObject } from "./heap";

const HEAP_VIEWS = ["types", "retained", "largest", "roots", "grown", "holders"] as const;
type HeapViewName = (typeof HEAP_VIEWS)[number];

export interface HeapSearch {
  view?: string;
  q?: string;
  sort?: string;
}

interface Props {
  title: string;
  heap: HeapFile;
  search: HeapSearch;
  onSearch: (next: Partial<HeapSearch>) => void;
  aside?: ReactNode;
}

/** One line of any of the tables. */
interface Line {
  key: string;
  name: string;
  chain: string;
  objects: number | null;
  bytes: number;
  /** What would be free without it, or what is new. */
  more: number | null;
}

/** What fills memory: by type, by object, by who holds it, and what grew. */
export function HeapView({ title, heap, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const there = HEAP_VIEWS.filter((view) => linesOf(heap, view) !== null);
  const view = readOneOf(search.view, there) ?? "types";
  const words = useDeferredValue(search.q ?? "").toLowerCase();
  const lines = useMemo(() => linesOf(heap, view) ?? [], [heap, view]);
  const shown = useMemo(
    () => lines.filter(({ name, chain }) => `${name} ${chain}`.toLowerCase().includes(words)),
    [lines, words],
  );
  const columns = useMemo(() => columnsOf(t, view, lines, heap.bytes), [t, view, lines, heap.bytes]);
  return (
    <Panel
      title={title}
      flush
      testId={TEST_IDS.heap}
      aside={
        <>
          {aside}
          <SearchField
            label={t("heap.search")}
            value={search.q ?? ""}
            onChange={(typed) => onSearch({ q: typed || undefined })}
          />
          <SegmentedControl
            size="xs"
            value={view}
            onChange={(chosen) => onSearch({ view: chosen, sort: undefined })}
            data={there.map((value) => ({ value, label: t(`heap.view.${value}`) }))}
          />
        </>
      }
    >
      {shown.length === 0 ? (
        <Empty title={words ? t("overview.noMatch", { words }) : t("profile.none")} />
      ) : (
        <DataTable
          label={t(`heap.view.${view}`)}
          columns={columns}
          rows={shown}
          rowKey={({ key }) => key}
          sort={search.sort ?? (view === "types" || view === "roots" || view === "largest" ? "-bytes" : "-more")}
          onSort={(sort) => onSearch({ sort })}
          rowHeight={30}
          restWidth={300}
          maxHeight="66dvh"
        />
      )}
    </Panel>
  );
}

const ofObject = (object: HeapObject, index: number): Line => ({
  key: String(index),
  name: object.type,
  chain: chainText(object.chain),
  objects: object.items,
  bytes: object.bytes,
  more: object.retained_bytes,
});

const ofHolder = (holder: GrownHolder, index: number): Line => ({
  key: String(index),
  name: holder.kinds.map(([type, objects]) => `${objects} ${type}`).join(", "),
  chain: chainText(holder.chain),
  objects: holder.new_objects,
  bytes: holder.retained_bytes,
  more: holder.new_bytes,
});

/** null: this file does not tell. */
function linesOf(heap: HeapFile, view: HeapViewName): Line[] | null {
  switch (view) {
    case "types":
      return heap.types.map(([type, , objects, size]) => ({
        key: type,
        name: type,
        chain: "",
        objects,
        bytes: size,
        more: null,
      }));
    case "retained":
      return heap.retained?.map(ofObject) ?? null;
    case "largest":
      return heap.largest.map(ofObject);
    case "roots":
      return (
        heap.roots?.map(([root, size]) => ({
          key: root,
          name: root,
          chain: "",
          objects: null,
          bytes: size,
          more: null,
        })) ?? null
      );
    case "grown":
      return (
        heap.growth?.grown_types.map((grown) => ({
          key: grown.type,
          name: grown.type,
          chain: chainText(grown.example ?? []),
          objects: grown.grown_objects,
          bytes: grown.bytes,
          more: grown.grown_bytes,
        })) ?? null
      );
    case "holders":
      return heap.growth?.holders.map(ofHolder) ?? null;
  }
}

function columnsOf(t: Translate, view: HeapViewName, lines: readonly Line[], all: number): Column<Line>[] {
  const most = (key: "bytes" | "more") => lines.reduce((found, line) => Math.max(found, line[key] ?? 0), 0);
  const heaviest = { bytes: most("bytes"), more: most("more") };
  const columns: Column<Line>[] = [
    {
      key: "name",
      header: t(view === "roots" ? "heap.root" : view === "holders" ? "heap.new" : "type"),
      ...(lines.some(({ chain }) => chain) ? { width: 220 } : {}),
      sortBy: ({ name }) => name,
      cell: ({ name }) => <Name mono>{name}</Name>,
    },
  ];
  if (lines.some(({ chain }) => chain)) {
    columns.push({
      key: "chain",
      header: t("leaks.chain"),
      sortBy: ({ chain }) => chain,
      cell: ({ chain }) => <Name mono>{chain}</Name>,
    });
  }
  if (view !== "roots") {
    const header =
      view === "types" ? "heap.objects" : view === "grown" || view === "holders" ? "heap.newObjects" : "heap.items";
    columns.push({
      key: "objects",
      header: t(header),
      width: 116,
      align: "right",
      sortBy: ({ objects }) => objects,
      cell: ({ objects }) => <Amount of={count(objects)} />,
    });
  }
  const bar = (key: "bytes" | "more", header: string): Column<Line> => ({
    key,
    header,
    width: 220,
    align: "right",
    sortBy: (line) => line[key],
    cell: (line) => <Cost weight={line[key] ?? 0} all={all} most={heaviest[key]} unit="bytes" />,
  });
  const plain: Column<Line> = {
    key: "bytes",
    header: t(view === "holders" ? "heap.retained" : "heap.bytes"),
    width: 110,
    align: "right",
    sortBy: (line) => line.bytes,
    cell: (line) => <Amount of={bytes(line.bytes)} unitWidth={4} />,
  };
  if (view === "types" || view === "roots")
    return [...columns, bar("bytes", t(view === "roots" ? "heap.retained" : "heap.bytes"))];
  return [
    ...columns,
    plain,
    bar("more", t(view === "grown" || view === "holders" ? "heap.newBytes" : "heap.retained")),
  ];
}
