import { Button } from "@mantine/core";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import { bytes, count, percent, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { Cost } from "../profile/CostTable";
import { SearchField } from "../SearchField";
import { TableSkeleton } from "../Skeletons";
import type { ConstructorRow } from "./constructors";
import type { HeapObject, HeapObjectReport, HeapSummary, Question } from "./messages";
import { named } from "./named";
import { ObjectView } from "./ObjectView";

/** How a heap is looked at; it all stands in the address. */
export interface SnapshotSearch {
  q?: string;
  sort?: string;
  /** The constructor whose objects are listed. */
  fn?: string;
  /** Words that listed objects have in their name. */
  find?: string;
  /** Id of the chosen object. */
  object?: number;
}

export type Answer = HeapObject[] | HeapObjectReport | null;
export type Ask = (question: Question) => Promise<Answer>;

interface Props {
  title: string;
  summary: HeapSummary;
  ask: Ask;
  search: SnapshotSearch;
  onSearch: (next: Partial<SnapshotSearch>) => void;
}

/** A heap: constructors, the objects of one of them, and one object with who holds it. */
export function SnapshotView({ title, summary, ask, search, onSearch }: Props) {
  const { t } = useWords();
  const { q = "", sort = "-retained", fn, find, object } = search;
  const words = useDeferredValue(q).toLowerCase();
  const shown = useMemo(
    () => summary.constructors.filter(({ name }) => name.toLowerCase().includes(words)),
    [summary, words],
  );
  const columns = useMemo(() => constructorColumns(t, summary), [t, summary]);
  return (
    <>
      <Panel
        title={title}
        flush
        testId={TEST_IDS.snapshot}
        aside={
          <>
            <span>
              {t("snapshot.summary", { objects: text(count(summary.objects)), size: text(bytes(summary.bytes)) })}
            </span>
            {q && (
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => onSearch({ find: q, fn: undefined, object: undefined })}
              >
                {t("snapshot.find")}
              </Button>
            )}
            <SearchField
              label={t("snapshot.search")}
              value={q}
              onChange={(typed) => onSearch({ q: typed || undefined })}
              onEnter={(typed) => typed && onSearch({ find: typed, fn: undefined, object: undefined })}
            />
          </>
        }
      >
        {shown.length === 0 ? (
          <Empty title={t("overview.noMatch", { words: q })} />
        ) : (
          <DataTable
            label={t("snapshot.constructors")}
            testId={TEST_IDS.constructors}
            columns={columns}
            rows={shown}
            rowKey={({ name }) => name}
            sort={sort}
            onSort={(next) => onSearch({ sort: next })}
            onOpen={({ name }) => onSearch({ fn: name, find: undefined, object: undefined })}
            selected={fn}
            rowHeight={30}
            restWidth={240}
            maxHeight={fn || find || object ? "34dvh" : "66dvh"}
          />
        )}
      </Panel>
      {(fn !== undefined || find !== undefined) && (
        <Objects
          key={`${fn}\n${find}`}
          ask={ask}
          all={summary.bytes}
          fn={fn}
          find={find}
          object={object}
          onSearch={onSearch}
        />
      )}
      {object !== undefined && (
        <ObjectView
          key={object}
          ask={ask}
          id={object}
          all={summary.bytes}
          onOpen={(id) => onSearch({ object: id })}
          onClass={(name) => onSearch({ fn: name, find: undefined, object: undefined })}
        />
      )}
    </>
  );
}

interface ObjectsProps {
  ask: Ask;
  /** Size of the whole heap. */
  all: number;
  fn: string | undefined;
  find: string | undefined;
  object: number | undefined;
  onSearch: (next: Partial<SnapshotSearch>) => void;
}

/** Those that retain most first; a worker looks for them. */
function Objects({ ask, all, fn, find, object, onSearch }: ObjectsProps) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [found, setFound] = useState<HeapObject[] | null>(null);
  const [sort, setSort] = useState("-retained");
  useEffect(() => {
    let isWanted = true;
    const question: Question =
      fn === undefined ? { kind: "found", words: find ?? "" } : { kind: "objects", constructor_name: fn };
    void ask(question).then((answer) => isWanted && setFound(answer as HeapObject[]));
    return () => {
      isWanted = false;
    };
  }, [ask, fn, find]);
  useEffect(() => {
    box.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const columns = useMemo(() => objectColumns(t, found ?? [], all), [t, found, all]);
  return (
    <div ref={box}>
      <Panel
        title={fn === undefined ? t("snapshot.found", { words: find ?? "" }) : t("snapshot.objectsOf", { name: fn })}
        flush
      >
        {found === null ? (
          <TableSkeleton rows={4} />
        ) : found.length === 0 ? (
          <Empty title={t("profile.none")} />
        ) : (
          <DataTable
            label={t("snapshot.objects")}
            testId={TEST_IDS.heapObjects}
            columns={columns}
            rows={found}
            rowKey={({ id }) => String(id)}
            sort={sort}
            onSort={setSort}
            onOpen={({ id }) => onSearch({ object: id })}
            selected={object === undefined ? undefined : String(object)}
            rowHeight={30}
            restWidth={260}
            maxHeight="34dvh"
            foot={found.length >= 1000 ? t("snapshot.first", { count: found.length }) : undefined}
          />
        )}
      </Panel>
    </div>
  );
}

function constructorColumns(t: Translate, summary: HeapSummary): Column<ConstructorRow>[] {
  const most = (key: "bytes" | "retained_bytes") =>
    summary.constructors.reduce((all, row) => (row.retained_bytes < summary.bytes ? Math.max(all, row[key]) : all), 0);
  const heaviest = { bytes: most("bytes"), retained_bytes: most("retained_bytes") };
  const sized = (key: "bytes" | "retained_bytes", name: string, header: string): Column<ConstructorRow> => ({
    key: name,
    header,
    width: 220,
    align: "right",
    sortBy: (row) => row[key],
    cell: (row) => <Cost weight={row[key]} all={summary.bytes} most={Math.max(heaviest[key], row[key])} unit="bytes" />,
  });
  return [
    {
      key: "name",
      header: t("snapshot.constructor"),
      sortBy: ({ name }) => name,
      cell: ({ name }) => <Name mono>{name}</Name>,
    },
    {
      key: "objects",
      header: t("heap.objects"),
      width: 170,
      align: "right",
      sortBy: ({ objects }) => objects,
      cell: ({ objects }) => (
        <>
          <Amount of={count(objects)} />{" "}
          <span className="muted" style={{ display: "inline-block", minWidth: "8ch" }}>
            {text(percent(objects / summary.objects))}
          </span>
        </>
      ),
    },
    sized("bytes", "shallow", t("snapshot.shallow")),
    sized("retained_bytes", "retained", t("snapshot.retained")),
  ];
}

const objectColumns = (t: Translate, rows: readonly HeapObject[], all: number): Column<HeapObject>[] => {
  const most = rows.reduce((found, { retained_bytes }) => Math.max(found, retained_bytes), 0);
  return [
    {
      key: "name",
      header: t("snapshot.object"),
      sortBy: ({ name }) => name,
      cell: (row) => <Name mono>{named(row)}</Name>,
    },
    {
      key: "id",
      header: "Id",
      width: 100,
      align: "right",
      sortBy: ({ id }) => id,
      cell: ({ id }) => <span className="muted">@{id}</span>,
    },
    {
      key: "distance",
      header: t("snapshot.distance"),
      width: 100,
      align: "right",
      sortBy: ({ distance }) => (distance < 0 ? null : distance),
      cell: ({ distance }) => (distance < 0 ? "–" : distance),
    },
    {
      key: "shallow",
      header: t("snapshot.shallow"),
      width: 120,
      align: "right",
      sortBy: (row) => row.bytes,
      cell: (row) => <Amount of={bytes(row.bytes)} unitWidth={4} />,
    },
    {
      key: "retained",
      header: t("snapshot.retained"),
      width: 220,
      align: "right",
      sortBy: ({ retained_bytes }) => retained_bytes,
      cell: ({ retained_bytes }) => <Cost weight={retained_bytes} all={all} most={most} unit="bytes" />,
    },
  ];
};
