import { Link } from "@tanstack/react-router";
import { useDeferredValue, useMemo } from "react";

import { count, duration, moment, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { colourOf } from "../../theme/palette";
import { usePalette } from "../../theme/theme";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { Cost } from "./CostTable";
import { placeOf, shortPlaceOf } from "./frames";
import { Place } from "./Place";
import classes from "./StallsView.module.css";
import { barsOf, CAUSES, isCause, isTrace, type Stall, type StallLine, type StallsFile } from "./stalls";

interface Props {
  stalls: StallsFile;
  search: { q?: string; sort?: string };
  onSearch: (next: { q?: string; sort?: string }) => void;
}

const MOST_BARS = 2000;

/** When the loop did not turn, which lines were to blame, and each stall. */
export function StallsView({ stalls, search, onSearch }: Props) {
  const { t } = useWords();
  const words = useDeferredValue(search.q ?? "").toLowerCase();
  const lines = useMemo(
    () => stalls.lines.filter((line) => textOf(line).toLowerCase().includes(words)),
    [stalls, words],
  );
  const single = useMemo(
    () =>
      stalls.stalls.filter((stall) =>
        `${stall.endpoint} ${stall.coroutine} ${stall.line ? textOf({ ...stall, ...stall.line }) : stall.cause}`
          .toLowerCase()
          .includes(words),
      ),
    [stalls, words],
  );
  const all = stalls.lines.reduce((sum, { ns }) => sum + ns, 0);
  const lineColumns = useMemo(() => columnsOfLines(t, all, stalls.lines[0]?.ns ?? 0), [t, all, stalls.lines]);
  const stallColumns = useMemo(() => columnsOfStalls(t), [t]);
  if (stalls.stalls.length === 0 && stalls.lines.length === 0) {
    return (
      <Panel testId={TEST_IDS.stalls}>
        <Empty title={t("stalls.none", { threshold: text(duration(stalls.threshold_ms)) })} />
      </Panel>
    );
  }
  return (
    <>
      <Timeline stalls={stalls} />
      <Panel
        title={t("stalls.lines", { count: stalls.lines.length })}
        flush
        testId={TEST_IDS.stalls}
        aside={
          <SearchField
            label={t("profile.search")}
            value={search.q ?? ""}
            onChange={(typed) => onSearch({ q: typed || undefined })}
          />
        }
      >
        {lines.length === 0 ? (
          <Empty title={t("overview.noMatch", { words })} />
        ) : (
          <DataTable
            label={t("stalls.lines", { count: lines.length })}
            columns={lineColumns}
            rows={lines}
            rowKey={(line) => `${textOf(line)} ${line.line}`}
            sort={search.sort ?? "-ns"}
            onSort={(sort) => onSearch({ sort })}
            rowHeight={30}
            restWidth={220}
            maxHeight="44dvh"
          />
        )}
      </Panel>
      {single.length > 0 && (
        <Panel title={t("stalls.each", { count: single.length })} flush>
          <DataTable
            label={t("stalls.each", { count: single.length })}
            columns={stallColumns}
            rows={single}
            rowKey={({ began_unix_ns, thread }) => `${began_unix_ns} ${thread}`}
            rowHeight={30}
            restWidth={220}
            maxHeight="44dvh"
          />
        </Panel>
      )}
    </>
  );
}

const textOf = (line: Pick<StallLine, "function" | "file" | "cause" | "system_call" | "endpoint">) =>
  [line.function, line.file, line.cause, line.system_call, line.endpoint].join(" ");

function causeText(t: Translate, cause: string, systemCall: string): string {
  const word = isCause(cause) ? t(`stalls.cause.${cause}`) : cause;
  return systemCall ? `${word} (${systemCall})` : word;
}

function columnsOfLines(t: Translate, all: number, most: number): Column<StallLine>[] {
  return [
    {
      key: "function",
      header: t("profile.by.function"),
      sortBy: (line) => line.function,
      cell: (line) => <Name mono>{line.function}</Name>,
    },
    {
      key: "place",
      header: t("profile.place"),
      width: 210,
      phoneLast: true,
      sortBy: ({ file, line }) => placeOf(file, line),
      cell: ({ file, line, cause }) => (cause === "unseen" ? null : <Place file={file} line={line} />),
    },
    {
      key: "cause",
      header: t("stalls.cause"),
      width: 200,
      phoneLast: true,
      sortBy: ({ cause }) => cause,
      cell: ({ cause, system_call }) => <Name>{causeText(t, cause, system_call)}</Name>,
    },
    {
      key: "endpoint",
      header: t("endpoint"),
      width: 150,
      phoneLast: true,
      cell: ({ endpoint }) => <Name>{endpoint}</Name>,
    },
    {
      key: "count",
      header: t("error.count"),
      width: 84,
      align: "right",
      sortBy: (line) => line.count,
      cell: (line) => <Amount of={count(line.count)} />,
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
      header: t("stalls.blocked"),
      width: 230,
      align: "right",
      sortBy: ({ ns }) => ns,
      cell: ({ ns }) => <Cost weight={ns} all={all} most={most} unit="nanoseconds" />,
    },
  ];
}

function columnsOfStalls(t: Translate): Column<Stall>[] {
  return [
    {
      key: "time",
      header: t("time"),
      width: 120,
      cell: ({ began_unix_ns }) => <span className="muted">{moment(began_unix_ns / 1e6, "time")}</span>,
    },
    {
      key: "line",
      header: t("profile.place"),
      cell: ({ line, stack }) => (
        <span title={stack.map(([name, file, at]) => `${name} ${placeOf(file, at)}`).join("\n")}>
          <Name mono>{line ? `${line.function} ${shortPlaceOf(line.file, line.line)}` : "–"}</Name>
        </span>
      ),
    },
    {
      key: "cause",
      header: t("stalls.cause"),
      width: 210,
      cell: ({ cause, system_call }) => <Name>{causeText(t, cause, system_call)}</Name>,
    },
    {
      key: "trace",
      header: t("trace"),
      width: 170,
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

/** Stalls over the time of the run: as wide and as high as they were long, coloured by their cause. */
function Timeline({ stalls }: { stalls: StallsFile }) {
  const { t } = useWords();
  const palette = usePalette();
  const bars = useMemo(() => barsOf(stalls).slice(0, MOST_BARS), [stalls]);
  const colour = (cause: string) => colourOf(isCause(cause) ? CAUSES.indexOf(cause) : CAUSES.length, palette);
  const causes = CAUSES.filter((cause) => bars.some(({ stall }) => stall.cause === cause));
  return (
    <Panel
      title={t("stalls.timeline")}
      testId={TEST_IDS.stallTimeline}
      aside={causes.map((cause) => (
        <span key={cause} className={classes.key}>
          <span className={classes.swatch} style={{ background: colour(cause) }} />
          {t(`stalls.cause.${cause}`)}
        </span>
      ))}
    >
      <div className={classes.timeline} role="img" aria-label={t("stalls.timeline")}>
        {bars.map(({ left, width, height, stall }, index) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: two threads may stall at the same moment
            key={index}
            className={classes.bar}
            title={`${text(duration(stall.ns / 1e6))} · ${causeText(t, stall.cause, stall.system_call)}\n${stall.line ? `${stall.line.function} ${placeOf(stall.line.file, stall.line.line)}` : ""}`}
            style={{
              left: `${left * 100}%`,
              width: `${width * 100}%`,
              height: `${Math.max(6, height * 100)}%`,
              background: colour(stall.cause),
            }}
          />
        ))}
      </div>
    </Panel>
  );
}
