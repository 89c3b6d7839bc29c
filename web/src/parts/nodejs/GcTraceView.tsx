import { useMemo } from "react";

import { bytes, count, duration, moment, percent, plain, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Figure, FigureRow } from "../Figure";
import { Panel } from "../Panel";
import { stackedOf } from "../stacked";
import { type Series, TimeSeries } from "../TimeSeries";
import { type Collection, type CollectionsOfType, type GcTrace, linesOf } from "./gcTrace";
import classes from "./Nodejs.module.css";

interface Props {
  trace: GcTrace;
  /** Epoch milliseconds. */
  began: number;
  sort: string;
  onSort: (sort: string) => void;
}

/** Collections over time, by type, and one by one. */
export function GcTraceView({ trace, began, sort, onSort }: Props) {
  const { t } = useWords();
  const lines = useMemo(() => linesOf(trace, began), [trace, began]);
  const pauses = useMemo(
    () =>
      lines.pauses.map<Series>(({ type, values }, index) => ({
        label: gcName(t, type),
        values,
        colour: index,
        style: "bars",
      })),
    [lines, t],
  );
  const used = useMemo(
    () => stackedOf(lines.used.map(({ space, values }, colour) => ({ label: space, values, colour }))),
    [lines],
  );
  const { collections, duration_ms, pause_ms } = trace;
  const first = collections[0];
  const last = collections.at(-1);
  const range = { from: began, to: began + Math.max(1, duration_ms) };
  return (
    <>
      <FigureRow>
        <Figure label={t("gc.length")} of={duration(duration_ms)} />
        <Figure label={t("gc.collections")} of={count(collections.length)}>
          {trace.types.map((one) => `${gcName(t, one.type)} ${one.count}`).join(" · ")}
        </Figure>
        <Figure label={t("gc.paused")} of={duration(pause_ms)}>
          {t("gc.share", { share: text(percent(duration_ms > 0 ? pause_ms / duration_ms : null)) })}
        </Figure>
        <Figure label={t("gc.longest")} of={duration(trace.longest_ms)} />
        <Figure label={t("gc.heap")} of={bytes(last?.after_bytes)}>
          {first && t("gc.heap.first", { size: text(bytes(first.before_bytes)) })}
        </Figure>
      </FigureRow>
      {collections.length === 0 ? (
        <Panel testId={TEST_IDS.gcTrace}>
          <Empty title={t("gc.none")} />
        </Panel>
      ) : (
        <>
          <div className={classes.pair} data-testid={TEST_IDS.gcTrace}>
            <TimeSeries
              title={t("gc.pauses")}
              times={lines.times}
              series={pauses}
              format={duration}
              sync="gc"
              {...range}
            />
            <TimeSeries
              title={t("gc.used")}
              times={lines.usedTimes}
              series={used}
              format={bytes}
              steps="binary"
              sync="gc-used"
              {...range}
            />
          </div>
          <Types types={trace.types} all_ms={pause_ms} />
          <Collections trace={trace} began={began} sort={sort} onSort={onSort} />
        </>
      )}
    </>
  );
}

const NAMES = ["scavenge", "marksweep", "marking"] as const;

function gcName(t: Translate, type: string): string {
  const known = NAMES.find((name) => name === type);
  return known ? t(`gc.type.${known}`) : type;
}

function Types({ types, all_ms }: { types: readonly CollectionsOfType[]; all_ms: number }) {
  const { t } = useWords();
  const columns = useMemo<Column<CollectionsOfType>[]>(
    () => [
      { key: "type", header: t("type"), cell: ({ type }) => gcName(t, type) },
      {
        key: "count",
        header: t("gc.collections"),
        width: 100,
        align: "right",
        cell: (one) => <Amount of={count(one.count)} />,
      },
      {
        key: "paused",
        header: t("gc.paused"),
        width: 110,
        align: "right",
        cell: ({ pause_ms }) => <Amount of={duration(pause_ms)} unitWidth={3} />,
      },
      {
        key: "share",
        header: t("gc.ofAll"),
        width: 90,
        align: "right",
        cell: ({ pause_ms }) => <Amount of={percent(all_ms > 0 ? pause_ms / all_ms : null)} />,
      },
      {
        key: "mean",
        header: t("figure.average"),
        width: 100,
        align: "right",
        cell: (one) => <Amount of={duration(one.pause_ms / one.count)} unitWidth={3} />,
      },
      {
        key: "longest",
        header: t("gc.longest"),
        width: 100,
        align: "right",
        cell: ({ longest_ms }) => <Amount of={duration(longest_ms)} unitWidth={3} />,
      },
      {
        key: "freed",
        header: t("gc.freed"),
        width: 110,
        align: "right",
        cell: ({ freed_bytes }) => <Amount of={bytes(freed_bytes)} unitWidth={4} />,
      },
    ],
    [t, all_ms],
  );
  return (
    <Panel title={t("gc.byType")} flush>
      <DataTable
        label={t("gc.byType")}
        columns={columns}
        rows={types}
        rowKey={({ type }) => type}
        rowHeight={30}
        restWidth={180}
      />
    </Panel>
  );
}

function Collections({ trace, began, sort, onSort }: Props) {
  const { t } = useWords();
  const columns = useMemo(() => columnsOf(t, trace, began), [t, trace, began]);
  return (
    <Panel title={t("gc.each", { count: trace.collections.length })} flush>
      <DataTable
        label={t("gc.each", { count: trace.collections.length })}
        columns={columns}
        rows={trace.collections}
        rowKey={({ key }) => String(key)}
        sort={sort}
        onSort={onSort}
        rowHeight={30}
        restWidth={150}
        maxHeight="52dvh"
      />
    </Panel>
  );
}

function columnsOf(t: Translate, trace: GcTrace, began: number): Column<Collection>[] {
  const change = (before: number, after: number) => {
    const { value, unit } = bytes(Math.abs(after - before));
    return {
      value: after === before ? "0" : `${after > before ? "+" : "−"}${value}`,
      unit: after === before ? "" : unit,
    };
  };
  return [
    {
      key: "time",
      header: t("time"),
      width: 120,
      sortBy: ({ start_ms }) => start_ms,
      cell: ({ start_ms }) => (
        <span title={t("gc.at", { seconds: plain(start_ms / 1000, 3).value })}>{moment(began + start_ms, "time")}</span>
      ),
    },
    { key: "type", header: t("type"), sortBy: ({ type }) => type, cell: ({ type }) => gcName(t, type) },
    {
      key: "pause",
      header: t("gc.pause"),
      width: 100,
      align: "right",
      sortBy: ({ pause_ms }) => pause_ms,
      cell: ({ pause_ms }) => <Amount of={duration(pause_ms)} unitWidth={3} />,
    },
    {
      key: "before",
      header: t("gc.before"),
      width: 110,
      align: "right",
      sortBy: ({ before_bytes }) => before_bytes,
      cell: ({ before_bytes }) => <Amount of={bytes(before_bytes)} unitWidth={4} />,
    },
    {
      key: "after",
      header: t("gc.after"),
      width: 110,
      align: "right",
      sortBy: ({ after_bytes }) => after_bytes,
      cell: ({ after_bytes }) => <Amount of={bytes(after_bytes)} unitWidth={4} />,
    },
    ...trace.spaces.map<Column<Collection>>((space) => ({
      key: space,
      header: space.replace(/_space$/, "").replaceAll("_", " "),
      width: 128,
      align: "right",
      cell: ({ spaces }) => {
        const one = spaces.find(({ name }) => name === space);
        return one ? <Amount of={change(one.before_bytes, one.after_bytes)} unitWidth={4} /> : null;
      },
    })),
  ];
}
