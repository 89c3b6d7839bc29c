import { useEffect, useRef } from "react";
import uPlot, { type AlignedData } from "uplot";
import "uplot/dist/uPlot.min.css";

import { tickText } from "../domain/format";
import { colourOf, mix, type Palette } from "../theme/palette";
import type { Series, Sliding, TimeSeriesProps } from "./TimeSeries";
import { timeLabel } from "./timeAxis";

interface Props extends TimeSeriesProps {
  height: number;
  palette: Palette;
  onCursor: (index: number | null) => void;
}

const FONT = '11px "Inter Sonde", "Noto Sans CJK SC", sans-serif';
const Y_AXIS_PX = 62;
const STEPS = {
  binary: Array.from({ length: 54 }, (_, power) => 2 ** power),
  whole: Array.from({ length: 36 }, (_, index) => ([1, 2, 5][index % 3] as number) * 10 ** Math.floor(index / 3)),
};
/** Of the top of the data, so that lines do not touch the frame. */
const HEADROOM = 1.12;
/** A drag shorter than this was a click. */
const LEAST_DRAG_PX = 6;

/** The uPlot instance behind a TimeSeries; a chunk of its own, loaded with the first chart. */
export default function TimeSeriesPlot(props: Props) {
  const { times, series, from, to, height, palette, sync, sliding, marks } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  const look = series.map(({ label, colour, style }) => `${label}|${colour}|${style}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `look` stands for the series; data and range follow below
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const chart = new uPlot(
      optionsOf(latest, element.clientWidth, height, palette, sync),
      dataOf(latest.current),
      element,
    );
    plot.current = chart;
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [look, height, palette, sync]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart made anew is given its data by its maker
  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(dataOf(latest.current), false);
      if (!sliding) plot.current?.setScale("x", { min: from / 1000, max: to / 1000 });
    });
  }, [times, series, from, to]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: marks are drawn from `latest`
  useEffect(() => plot.current?.redraw(false), [marks]);

  useSliding(plot, sliding);
  return <div ref={box} />;
}

function dataOf({ times, series }: Props): AlignedData {
  return [times as number[], ...series.map(({ values }) => values as (number | null)[])];
}

/** Half of the screen's frames: smooth to the eye, and kind to the machine that is being watched. */
function useSliding(plot: { current: uPlot | null }, sliding: Sliding | undefined): void {
  useEffect(() => {
    if (!sliding) return;
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    let handle = 0;
    let frame = 0;
    const move = () => {
      if (frame++ % (still ? 60 : 2) === 0) {
        const max = sliding.edge_s();
        plot.current?.setScale("x", { min: max - sliding.window_s, max });
      }
      handle = requestAnimationFrame(move);
    };
    move();
    return () => cancelAnimationFrame(handle);
  }, [plot, sliding]);
}

function optionsOf(
  latest: { current: Props },
  width: number,
  height: number,
  palette: Palette,
  sync: string,
): uPlot.Options {
  const { series, from, to, sliding } = latest.current;
  const edge_s = sliding?.edge_s() ?? 0;
  const shown = sliding ? [edge_s - sliding.window_s, edge_s] : [from / 1000, to / 1000];
  return {
    width,
    height,
    padding: [8, 26, 0, 0], // on the right for half of the longest time
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: Boolean(latest.current.onSelect), y: false, setScale: false },
      // only the movement is shared: one chart asks for the new range, not all of them
      sync: {
        key: sync,
        scales: ["x", null],
        filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
      },
    },
    scales: {
      x: { time: true, min: shown[0], max: shown[1], auto: false },
      y: { range: (_plot, _min, max) => [0, latest.current.top ?? (max > 0 ? max * HEADROOM : 1)] },
    },
    axes: [
      {
        font: FONT,
        stroke: palette.faint,
        size: 26,
        gap: 6,
        space: 72,
        grid: { show: false },
        ticks: { stroke: palette.line, width: 1, size: 4 },
        values: (_plot, splits, _axis, _space, step) => splits.map((split) => timeLabel(split, step)),
      },
      {
        font: FONT,
        stroke: palette.faint,
        size: Y_AXIS_PX,
        gap: 6,
        space: 32,
        grid: { stroke: palette.grid, width: 1 },
        ticks: { show: false },
        ...(latest.current.steps && { incrs: STEPS[latest.current.steps] }),
        values: (_plot, splits) => splits.map((split) => tickText(latest.current.format(split))),
      },
    ],
    series: [{}, ...series.map((one) => seriesOptions(one, palette))],
    hooks: {
      setCursor: [
        ({ cursor }) =>
          latest.current.onCursor(cursor.left === undefined || cursor.left < 0 ? null : (cursor.idx ?? null)),
      ],
      draw: [(chart) => drawMarks(chart, latest.current)],
      setSelect: [(chart) => askForSelection(chart, latest.current)],
    },
  };
}

const MARK_PX = 7;

/** A deploy is a dashed line with a flag at its head, anything else a tick at the foot. */
function drawMarks({ ctx, bbox, scales, valToPos }: uPlot, { marks = [], palette }: Props): void {
  const { min, max } = scales.x ?? {};
  if (min === undefined || max === undefined || min === null || max === null) return;
  const size = MARK_PX * devicePixelRatio;
  ctx.save();
  for (const { time, strong } of marks) {
    if (time / 1000 < min || time / 1000 > max) continue;
    const x = Math.round(valToPos(time / 1000, "x", true)) + 0.5;
    const foot = bbox.top + bbox.height;
    ctx.strokeStyle = ctx.fillStyle = strong ? palette.warn : palette.faint;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(strong ? [4 * devicePixelRatio, 3 * devicePixelRatio] : []);
    ctx.beginPath();
    ctx.moveTo(x, strong ? bbox.top : foot - size);
    ctx.lineTo(x, foot);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.beginPath();
    const tip = strong ? bbox.top : foot - size;
    ctx.moveTo(x - size / 2, tip);
    ctx.lineTo(x + size / 2, tip);
    ctx.lineTo(x, tip + size * 0.8);
    ctx.closePath();
    ctx.fill();
  }
  ctx.restore();
}

function seriesOptions({ label, colour, style }: Series, palette: Palette): uPlot.Series {
  const stroke = colourOf(colour, palette);
  if (style === "bars") {
    return {
      label,
      fill: stroke,
      width: 0,
      points: { show: false },
      paths: uPlot.paths.bars?.({ size: [0.75, 24, 1.5] }),
    };
  }
  return {
    label,
    stroke,
    width: 1.5,
    fill: style === "area" ? `${stroke}24` : style === "stacked" ? mix(stroke, palette.surface, 0.35) : undefined,
    // a lone measurement between gaps is still one
    points: { show: (_chart, index, from, to) => from === to && index > 0, size: 4, fill: stroke },
  };
}

function askForSelection(chart: uPlot, { onSelect }: Props): void {
  const { left, width } = chart.select;
  if (width < LEAST_DRAG_PX) return;
  const from = chart.posToVal(left, "x") * 1000;
  const to = chart.posToVal(left + width, "x") * 1000;
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onSelect?.(Math.round(from), Math.round(to));
}
