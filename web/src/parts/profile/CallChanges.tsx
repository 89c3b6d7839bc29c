import { type ReactNode, useDeferredValue, useMemo } from "react";

import { duration, rate } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import type { CallsSearch } from "./CallsView";
import { type CallChange, callChanges } from "./callChanges";
import type { Calls } from "./calls";
import { changeTone, durationChange, rateChange } from "./changes";
import { Place } from "./Place";
import classes from "./ProfileView.module.css";
import { Totals } from "./Totals";

interface Props {
  title: string;
  before: Calls;
  now: Calls;
  search: CallsSearch;
  onSearch: (next: Partial<CallsSearch>) => void;
  aside: ReactNode;
}

/** Functions that are called more or less often than in another run, or take more or less time. */
export function CallChanges({ title, before, now, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const words = useDeferredValue(search.q ?? "");
  const rows = useMemo(() => callChanges(before, now), [before, now]);
  const shown = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    return rows.filter(({ name, file }) => wanted.every((word) => `${name}\n${file}`.toLowerCase().includes(word)));
  }, [rows, words]);
  const columns = useMemo(() => columnsOf(t), [t]);
  return (
    <Panel title={title} flush testId={TEST_IDS.callChanges} aside={aside}>
      <Totals
        rows={[
          { label: t("profile.calls"), before: allCalls(before), now: allCalls(now), of: rate },
          { label: t("field.functions"), before: before.rows.length, now: now.rows.length, of: whole },
        ]}
      />
      <div className={classes.tools}>
        <SearchField
          label={t("profile.search")}
          value={search.q ?? ""}
          onChange={(typed) => onSearch({ q: typed || undefined })}
        />
        <span className={classes.legend}>{t("compare.second")}</span>
      </div>
      {shown.length === 0 ? (
        <Empty title={t("overview.noMatch", { words })} />
      ) : (
        <DataTable
          label={t("compare.changes")}
          columns={columns}
          rows={shown}
          rowKey={({ key }) => key}
          sort={search.sort ?? "-self"}
          onSort={(sort) => onSearch({ sort })}
          rowHeight={30}
          restWidth={190}
          maxHeight="66dvh"
        />
      )}
    </Panel>
  );
}

const whole = (value: number) => ({ value: value.toLocaleString("en-US"), unit: "" });
const allCalls = ({ rows, seconds }: Calls) => rows.reduce((sum, { calls }) => sum + calls, 0) / seconds;

function columnsOf(t: Translate): Column<CallChange>[] {
  const time = (
    key: string,
    header: string,
    of: (row: CallChange) => number | null | undefined,
  ): Column<CallChange> => ({
    key,
    header,
    width: 96,
    align: "right",
    sortBy: (row) => of(row) ?? null,
    cell: (row) => {
      const ns = of(row);
      return <Amount of={duration(ns === null || ns === undefined ? null : ns / 1e6)} unitWidth={3} />;
    },
  });
  const often = (key: string, header: string, of: (row: CallChange) => number | undefined): Column<CallChange> => ({
    key,
    header,
    width: 92,
    align: "right",
    sortBy: (row) => of(row) ?? null,
    cell: (row) => <Amount of={rate(of(row))} unitWidth={3} />,
  });
  return [
    {
      key: "name",
      header: t("profile.by.function"),
      sortBy: ({ name }) => name,
      cell: ({ name }) => <Name mono>{name}</Name>,
    },
    {
      key: "self",
      header: t("compare.self"),
      width: 112,
      align: "right",
      // the largest change of either sign first
      sortBy: ({ self }) => Math.abs(self),
      cell: ({ self }) => <Amount of={durationChange(self)} unitWidth={3} tone={changeTone(self)} />,
    },
    {
      key: "calls",
      header: t("compare.calls"),
      width: 106,
      align: "right",
      sortBy: ({ calls }) => Math.abs(calls),
      cell: ({ calls }) => <Amount of={rateChange(calls)} unitWidth={3} tone={changeTone(calls)} />,
    },
    time("selfBefore", t("compare.selfBefore"), ({ before }) => before?.self),
    time("selfNow", t("compare.selfNow"), ({ now }) => now?.self),
    often("callsBefore", t("compare.callsBefore"), ({ before }) => before?.calls),
    often("callsNow", t("compare.callsNow"), ({ now }) => now?.calls),
    time("eachBefore", t("compare.callBefore"), ({ before }) => before?.each),
    time("eachNow", t("compare.callNow"), ({ now }) => now?.each),
    {
      key: "place",
      header: t("profile.place"),
      width: 190,
      sortBy: ({ file }) => file,
      cell: ({ file, line }) => <Place file={file} line={line} />,
    },
  ];
}
