import { lazy, Suspense, useState } from "react";

import { moment, type Quantity } from "../domain/format";
import { TEST_IDS } from "../testIds";
import { colourOf, type Palette } from "../theme/palette";
import { usePalette } from "../theme/theme";
import { Amount } from "./Amount";
import { Panel } from "./Panel";
import { ChartSkeleton } from "./Skeletons";
import classes from "./TimeSeries.module.css";

const TimeSeriesPlot = lazy(() => import("./TimeSeriesPlot"));

export interface Series {
  label: string;
  /** One for each time; null is a gap. */
  values: readonly (number | null)[];
  /** A name of the palette, or a place among its series colours. */
  colour: Exclude<keyof Palette, "series"> | number;
  /** `stacked` covers what is drawn before it: see stackedOf. */
  style: "line" | "area" | "bars" | "stacked";
  /** What the head says, where the line is drawn elsewhere. */
  shown?: readonly (number | null)[];
}

/** A moment to remember while looking at the chart, e.g. a deploy. */
export interface TimeMark {
  /** Epoch milliseconds. */
  time: number;
  label: string;
  /** Drawn over the whole height; others are a tick at the foot. */
  strong: boolean;
}

/** Moves the x axis along with the clock, between two answers of the server. */
export interface Sliding {
  /** Epoch seconds of the right edge, now. */
  edge_s: () => number;
  window_s: number;
}

export interface TimeSeriesProps {
  title: string;
  /** Epoch seconds, ascending. */
  times: readonly number[];
  series: readonly Series[];
  format: (value: number | null) => Quantity;
  /** Epoch milliseconds: the axis shows the whole range, measured or not. */
  from: number;
  to: number;
  height?: number;
  /** Charts of one key share their cursor. */
  sync: string;
  /** Dragging over the chart asks for this range, in epoch milliseconds. */
  onSelect?: (from: number, to: number) => void;
  /** Top of the y axis where it is known, e.g. 1 for a fraction. */
  top?: number;
  /** Of the y axis. `binary` for bytes: powers of two. `whole` for what has no halves. */
  steps?: "binary" | "whole";
  sliding?: Sliding;
  marks?: readonly TimeMark[];
}

/** As near as this to a mark, in parts of the axis, the cursor is at it. */
const NEAR = 0.012;

/** Values over time. The head names each series with its value under the cursor, else the newest one. */
export function TimeSeries(props: TimeSeriesProps) {
  const { title, times, series, format, height = 168 } = props;
  const palette = usePalette();
  const [cursor, setCursor] = useState<number | null>(null);
  const time = cursor === null ? undefined : times[cursor];
  const mark = time === undefined ? undefined : markAt(props, time * 1000);
  return (
    <Panel
      title={title}
      flush
      testId={TEST_IDS.chart}
      aside={
        <>
          {mark && (
            <span className={classes.mark} title={mark.label}>
              {mark.label}
            </span>
          )}
          {time !== undefined && <span className={classes.time}>{moment(time * 1000, "time").slice(0, 8)}</span>}
          {series.map(({ label, values, shown = values, colour }) => (
            <span key={label} className={classes.key}>
              <span className={classes.swatch} style={{ background: colourOf(colour, palette) }} />
              {label}
              <span className={classes.value}>
                <Amount of={format(cursor === null ? newest(shown) : (shown[cursor] ?? null))} />
              </span>
            </span>
          ))}
        </>
      }
    >
      <div className={classes.plot} role="img" aria-label={summaryOf(props)} style={{ height: height + 8 }}>
        <Suspense fallback={<ChartSkeleton height={height} />}>
          <TimeSeriesPlot {...props} height={height} palette={palette} onCursor={setCursor} />
        </Suspense>
      </div>
    </Panel>
  );
}

/** The mark nearest to a time of the axis, if it is at it: within half a step, or a few pixels. */
export function markAt(
  { marks = [], times, from, to }: Pick<TimeSeriesProps, "marks" | "times" | "from" | "to">,
  time: number,
): TimeMark | undefined {
  const step = times.length > 1 ? ((times[1] as number) - (times[0] as number)) * 1000 : 0;
  const reach = Math.max(step / 2, (to - from) * NEAR);
  const nearest = [...marks].sort((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0];
  return nearest && Math.abs(nearest.time - time) <= reach ? nearest : undefined;
}

function newest(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

function summaryOf({ title, series, format, marks = [] }: TimeSeriesProps): string {
  const parts = series.map(({ label, values, shown = values }) => {
    const quantity = format(newest(shown));
    return `${label} ${quantity.value} ${quantity.unit}`;
  });
  return `${title}: ${[...parts, ...marks.map(({ label }) => label)].join(", ")}`;
}
