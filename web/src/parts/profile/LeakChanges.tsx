import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useDeferredValue, useMemo } from "react";

import type { ChangeState, LeakChange, LeaksComparison } from "../../api/comparisonsTypes";
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
import { bytesChange, changeTone } from "./changes";
import { placeOf } from "./frames";
import { VerdictMark } from "./LeaksView";
import { Place } from "./Place";
import classes from "./ProfileView.module.css";
import { Totals } from "./Totals";

const STATES: readonly ChangeState[] = ["new", "grown", "shrunk", "gone", "same"];

export interface LeakChangesSearch {
  view?: string;
  q?: string;
  sort?: string;
}

interface Props {
  title: string;
  comparison: LeaksComparison;
  search: LeakChangesSearch;
  onSearch: (next: Partial<LeakChangesSearch>) => void;
  aside: ReactNode;
}

/** Lines that keep memory now and did not, or did and do not any more, and those that keep more or less of a request. */
export function LeakChanges({ title, comparison, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const view = readOneOf(search.view, STATES);
  const words = useDeferredValue(search.q ?? "").toLowerCase();
  const shown = useMemo(
    () =>
      comparison.lines.filter(
        (row) =>
          (view === undefined || row.state === view) &&
          `${placeOf(row.file, row.line)} ${row.type} ${row.held_by}`.toLowerCase().includes(words),
      ),
    [comparison, view, words],
  );
  const columns = useMemo(() => columnsOf(t), [t]);
  const amount = (state: ChangeState) => comparison.lines.filter((row) => row.state === state).length;
  return (
    <Panel title={title} flush testId={TEST_IDS.leakChanges} aside={aside}>
      <Totals
        rows={[
          { label: t("field.loops"), before: comparison.before_requests, now: comparison.now_requests, of: count },
          {
            label: t("field.leaked_bytes"),
            before: comparison.before_leaked_bytes,
            now: comparison.now_leaked_bytes,
            of: bytes,
          },
        ]}
      />
      <div className={classes.tools}>
        <SearchField
          label={t("profile.search")}
          value={search.q ?? ""}
          onChange={(typed) => onSearch({ q: typed || undefined })}
        />
        <SegmentedControl
          size="xs"
          value={view ?? ""}
          onChange={(chosen) => onSearch({ view: chosen || undefined })}
          data={[
            { value: "", label: t("compare.all") },
            ...STATES.map((value) => ({ value, label: `${t(`compare.state.${value}`)} ${amount(value)}` })),
          ]}
        />
        {comparison.cut && <span className={classes.legend}>{t("compare.cut")}</span>}
      </div>
      {shown.length === 0 ? (
        <Empty title={words ? t("overview.noMatch", { words }) : t("compare.noLines")} />
      ) : (
        <DataTable
          label={t("compare.changes")}
          columns={columns}
          rows={shown}
          rowKey={({ file, line, type, via }) => `${file}:${line} ${type} ${via}`}
          sort={search.sort}
          onSort={(sort) => onSearch({ sort })}
          rowHeight={34}
          restWidth={200}
          maxHeight="66dvh"
        />
      )}
    </Panel>
  );
}

function columnsOf(t: Translate): Column<LeakChange>[] {
  const verdict = (key: "before_verdict" | "now_verdict", header: string): Column<LeakChange> => ({
    key,
    header,
    width: 112,
    sortBy: (row) => row[key] ?? "",
    cell: (row) => <VerdictMark verdict={row[key]} />,
  });
  const each = (key: "before_bytes_per_request" | "now_bytes_per_request", header: string): Column<LeakChange> => ({
    key,
    header,
    width: 104,
    align: "right",
    sortBy: (row) => row[key],
    cell: (row) => <Amount of={bytes(row[key])} unitWidth={4} />,
  });
  return [
    {
      key: "state",
      header: t("compare.state"),
      width: 90,
      phoneWidth: 70,
      sortBy: ({ state }) => STATES.indexOf(state),
      cell: ({ state }) => t(`compare.state.${state}`),
    },
    {
      key: "change",
      header: t("compare.each"),
      width: 124,
      phoneWidth: 108,
      align: "right",
      sortBy: ({ change_bytes_per_request }) => Math.abs(change_bytes_per_request),
      cell: ({ change_bytes_per_request, state }) => (
        <Amount
          of={bytesChange(change_bytes_per_request)}
          unitWidth={4}
          tone={state === "same" ? undefined : changeTone(change_bytes_per_request)}
        />
      ),
    },
    {
      key: "place",
      header: t("profile.place"),
      sortBy: ({ file, line }) => placeOf(file, line),
      cell: ({ file, line }) => <Place file={file} line={line} />,
    },
    {
      key: "type",
      header: t("type"),
      width: 120,
      sortBy: ({ type }) => type,
      cell: ({ type, approximate }) => <Name mono>{`${type || "–"}${approximate ? " ≈" : ""}`}</Name>,
    },
    verdict("before_verdict", t("compare.verdictBefore")),
    verdict("now_verdict", t("compare.verdictNow")),
    each("before_bytes_per_request", t("compare.eachBefore")),
    each("now_bytes_per_request", t("compare.eachNow")),
    {
      key: "held",
      header: t("leaks.chain"),
      width: 200,
      cell: ({ held_by }) => <Name mono>{held_by || "–"}</Name>,
    },
  ];
}
