/** What the page knows of the last minutes, and how an event of the stream changes it. */

import type { LiveChange, LivePoint, LiveService, LiveWhole } from "../../api/liveTypes";
import type { TraceRow } from "../../api/types";

export interface LiveState {
  /** Of the server's clock, RFC 3339: when this was so. */
  time: string;
  window_s: number;
  behind_ms: number | null;
  /** By the start of the second, epoch seconds; seconds without requests are not there. */
  points: ReadonlyMap<number, LivePoint>;
  services: readonly LiveService[];
  /** Newest first. */
  rows: readonly TraceRow[];
  more: number;
  unread: number;
}

const MOST_ROWS = 300;

export const secondOf = (time: string | number): number => Math.floor(new Date(time).getTime() / 1000);

export function begun(whole: LiveWhole): LiveState {
  return {
    time: whole.time,
    window_s: whole.window_s,
    behind_ms: whole.behind_ms,
    points: new Map(whole.series.map((point) => [secondOf(point.time), point])),
    services: whole.services,
    rows: [...whole.tail.rows].reverse(),
    more: 0,
    unread: 0,
  };
}

export function changed(state: LiveState, change: LiveChange): LiveState {
  const { tail } = change;
  return {
    ...state,
    time: change.time,
    behind_ms: change.behind_ms,
    points: change.series.length ? withPoints(state, change) : state.points,
    services: change.services ?? state.services,
    rows: tail.rows.length ? [...[...tail.rows].reverse(), ...state.rows].slice(0, MOST_ROWS) : state.rows,
    more: state.more + tail.more,
    unread: state.unread + tail.unread,
  };
}

function withPoints({ points, window_s }: LiveState, { series, time }: LiveChange): ReadonlyMap<number, LivePoint> {
  const oldest = secondOf(time) - window_s;
  const next = new Map([...points].filter(([second]) => second >= oldest));
  for (const point of series) next.set(secondOf(point.time), point);
  return next;
}
