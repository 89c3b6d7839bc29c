/** The part of a trace that is in view, and its place on the screen. Times are milliseconds from the trace's start. */

export interface TimeWindow {
  from: number;
  to: number;
}

/** Where the bars of a waterfall stand, for what is drawn above them. Pixels from its left edge. */
export interface BarScale {
  left: number;
  width: number;
  window: TimeWindow;
}

/** Nobody can read a bar of less than this. */
const NARROWEST_MS = 0.001;

export const wholeOf = (duration_ms: number): TimeWindow => ({ from: 0, to: Math.max(duration_ms, NARROWEST_MS) });

export function xOf(time: number, window: TimeWindow, width: number): number {
  return ((time - window.from) / (window.to - window.from)) * width;
}

export function timeAt(x: number, window: TimeWindow, width: number): number {
  return window.from + (x / width) * (window.to - window.from);
}

/** `window` `factor` times as wide around `centre`, kept inside the trace. */
export function zoomed(window: TimeWindow, factor: number, centre: number, duration_ms: number): TimeWindow {
  const whole = wholeOf(duration_ms);
  const width = Math.min(whole.to, Math.max(NARROWEST_MS, (window.to - window.from) * factor));
  const share = (centre - window.from) / (window.to - window.from);
  return within(centre - share * width, width, whole);
}

export function moved(window: TimeWindow, by: number, duration_ms: number): TimeWindow {
  return within(window.from + by, window.to - window.from, wholeOf(duration_ms));
}

function within(from: number, width: number, whole: TimeWindow): TimeWindow {
  const start = Math.min(Math.max(0, from), whole.to - width);
  return { from: start, to: start + width };
}

/** Round times for about one label each `apart` pixels. */
export function ticks(window: TimeWindow, width: number, apart = 96): number[] {
  const rough = ((window.to - window.from) * apart) / Math.max(width, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((multiple) => multiple * power >= rough) as number) * power;
  const found: number[] = [];
  for (let count = Math.ceil(window.from / step); count * step <= window.to; count++) found.push(count * step);
  return found;
}
