import { Link } from "@tanstack/react-router";
import { useDeferredValue, useMemo } from "react";

import { count, duration, moment, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { Cost } from "./CostTable";
import { placeOf, shortPlaceOf } from "./frames";
import { Place } from "./Place";
import type { StackFrame } from "./stacks";
import { isTrace, type StallPlace } from "./stalls";

export interface SyscallLine extends StallPlace {
  call: string;
  count: number;
  ns: number;
  longest_ns: number;
  errors: number;
  /** What it was about: a file, an address. */
  what: string;
  endpoint: string;
}

export interface SlowCall {
  call: string;
  began_unix_ns: number;
  ns: number;
  thread: string;
  error: string;
  what: string;
  endpoint: string;
  trace_id: string;
  span_id: string;
  line: StallPlace | null;
  /** The innermost first. */
  stack: StackFrame[];
}

/** `sonde.syscalls.v1`, see docs/tools/syscalls.md. */
export interface SyscallsFile {
  format: string;
  threshold_ms: number;
  lines: SyscallLine[];
  calls: SlowCall[];
}

interface Props {
  syscalls: SyscallsFile;
  search: { q?: string; sort?: string };
  onSearch: (next: { q?: string; sort?: string }) => void;
}

/** Slow system calls by the line that made them, then one by one. */
export function SyscallsView({ syscalls, search, onSearch }: Props) {
  const { t } = useWords();
  const words = useDeferredValue(search.q ?? "").toLowerCase();
  const lines = useMemo(
    () =>
      syscalls.lines.filter((line) =>
        [line.call, line.function, line.file, line.what, line.endpoint].join(" ").toLowerCase().includes(words),
      ),
    [syscalls, words],
  );
  const calls = useMemo(
    () =>
      syscalls.calls
        .filter(({ call, line, what, endpoint, thread }) =>
          [call, line?.function, line?.file, what, endpoint, thread].join(" ").toLowerCase().includes(words),
        )
        .sort((a, b) => b.ns - a.ns),
    [syscalls, words],
  );
  const all = syscalls.lines.reduce((sum, { ns }) => sum + ns, 0);
  const lineColumns = useMemo(() => columnsOfLines(t, all, syscalls.lines[0]?.ns ?? 0), [t, all, syscalls.lines]);
  const callColumns = useMemo(() => columnsOfCalls(t), [t]);
  if (syscalls.lines.length === 0 && syscalls.calls.length === 0) {
    return (
      <Panel testId={TEST_IDS.syscalls}>
        <Empty title={t("syscalls.none", { threshold: text(duration(syscalls.threshold_ms)) })} />
      </Panel>
    );
  }
  return (
    <>
      <Panel
        title={t("syscalls.lines", { count: syscalls.lines.length })}
        flush
        testId={TEST_IDS.syscalls}
        aside={
          <SearchField
            label={t("syscalls.search")}
            value={search.q ?? ""}
            onChange={(typed) => onSearch({ q: typed || undefined })}
          />
        }
      >
        {lines.length === 0 ? (
          <Empty title={t("overview.noMatch", { words })} />
        ) : (
          <DataTable
            label={t("syscalls.lines", { count: lines.length })}
            columns={lineColumns}
            rows={lines}
            rowKey={({ call, function: name, file, line }) => `${call} ${name} ${file}:${line}`}
            sort={search.sort ?? "-ns"}
            onSort={(sort) => onSearch({ sort })}
            rowHeight={30}
            restWidth={220}
            maxHeight="44dvh"
          />
        )}
      </Panel>
      {calls.length > 0 && (
        <Panel title={t("syscalls.slowest", { count: calls.length })} flush>
          <DataTable
            label={t("syscalls.slowest", { count: calls.length })}
            columns={callColumns}
            rows={calls}
            rowKey={({ began_unix_ns, thread, call }) => `${began_unix_ns} ${thread} ${call}`}
            rowHeight={30}
            restWidth={220}
            maxHeight="44dvh"
          />
        </Panel>
      )}
    </>
  );
}

function columnsOfLines(t: Translate, all: number, most: number): Column<SyscallLine>[] {
  return [
    {
      key: "call",
      header: t("syscalls.call"),
      width: 130,
      sortBy: ({ call }) => call,
      cell: ({ call }) => <Name mono>{call}</Name>,
    },
    {
      key: "function",
      header: t("profile.by.function"),
      phoneLast: true,
      sortBy: (line) => line.function,
      cell: (line) => <Name mono>{line.function}</Name>,
    },
    {
      key: "place",
      header: t("profile.place"),
      width: 200,
      phoneLast: true,
      sortBy: ({ file, line }) => placeOf(file, line),
      cell: ({ file, line }) => (file ? <Place file={file} line={line} /> : null),
    },
    {
      key: "what",
      header: t("syscalls.what"),
      width: 150,
      phoneLast: true,
      cell: ({ what }) => <Name mono>{what}</Name>,
    },
    {
      key: "count",
      header: t("error.count"),
      width: 76,
      align: "right",
      sortBy: (line) => line.count,
      cell: (line) => <Amount of={count(line.count)} />,
    },
    {
      key: "errors",
      header: t("figure.errors"),
      width: 76,
      align: "right",
      sortBy: ({ errors }) => errors,
      cell: ({ errors }) => <Amount of={count(errors)} tone={errors > 0 ? "error" : undefined} />,
    },
    {
      key: "longest",
      header: t("figure.max"),
      width: 96,
      align: "right",
      sortBy: ({ longest_ns }) => longest_ns,
      cell: ({ longest_ns }) => <Amount of={duration(longest_ns / 1e6)} unitWidth={3} />,
    },
    {
      key: "ns",
      header: t("syscalls.took"),
      width: 230,
      align: "right",
      sortBy: ({ ns }) => ns,
      cell: ({ ns }) => <Cost weight={ns} all={all} most={most} unit="nanoseconds" />,
    },
  ];
}

function columnsOfCalls(t: Translate): Column<SlowCall>[] {
  return [
    {
      key: "time",
      header: t("time"),
      width: 120,
      cell: ({ began_unix_ns }) => <span className="muted">{moment(began_unix_ns / 1e6, "time")}</span>,
    },
    { key: "call", header: t("syscalls.call"), width: 130, cell: ({ call }) => <Name mono>{call}</Name> },
    {
      key: "line",
      header: t("profile.place"),
      cell: ({ line, stack }) => (
        <span title={stack.map(([name, file, at]) => `${name} ${placeOf(file, at)}`).join("\n")}>
          <Name mono>{line ? `${line.function} ${shortPlaceOf(line.file, line.line)}` : "–"}</Name>
        </span>
      ),
    },
    { key: "what", header: t("syscalls.what"), width: 200, cell: ({ what }) => <Name mono>{what}</Name> },
    { key: "error", header: t("error.type"), width: 110, cell: ({ error }) => <Name mono>{error}</Name> },
    {
      key: "trace",
      header: t("trace"),
      width: 150,
      cell: ({ trace_id, span_id, endpoint }) =>
        isTrace(trace_id) ? (
          <Link
            to="/traces/$traceId"
            params={{ traceId: trace_id }}
            search={{ span: span_id }}
            className="link"
            preload={false}
          >
            <Name>{endpoint || trace_id.slice(0, 8)}</Name>
          </Link>
        ) : null,
    },
    {
      key: "ns",
      header: t("span.duration"),
      width: 110,
      align: "right",
      cell: ({ ns }) => <Amount of={duration(ns / 1e6)} unitWidth={3} />,
    },
  ];
}
