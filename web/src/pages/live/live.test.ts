import { describe, expect, it } from "vitest";

import { change, whole } from "../../../dev/live";
import type { LivePoint } from "../../api/liveTypes";
import { backoff_ms } from "./backoff";
import { begun, changed, type LiveState } from "./liveState";
import { recentOf, secondsOf } from "./recent";
import { ServerClock } from "./serverClock";

const AT = 1_800_000_000;
const time = (second: number) => new Date((AT + second) * 1000).toISOString();

const point = (second: number, requests: number, more: Partial<LivePoint> = {}): LivePoint => ({
  time: time(second),
  requests,
  errors: 0,
  average_ms: requests ? 10 : null,
  max_ms: null,
  p50_ms: null,
  p95_ms: requests ? 20 : null,
  p99_ms: null,
  ...more,
});

const state = (points: LivePoint[], now: number, behind_ms: number | null): LiveState =>
  begun({
    time: time(now),
    window_s: 900,
    behind_ms,
    series: points,
    services: [],
    tail: { rows: [], more: 0, unread: 0 },
  });

describe("what the stream says", () => {
  const quiet = new URLSearchParams();
  const first = begun(whole(quiet, AT * 1000));

  it("begins with everything, the newest request first", () => {
    expect(first.points.size).toBe(900);
    const times = first.rows.map(({ start_time }) => start_time);
    expect(times).toEqual([...times].sort().reverse());
  });

  it("revises the last seconds and drops those that have left the window", () => {
    const next = changed(first, change(quiet, (AT + 5) * 1000));
    expect(next.points.has(AT + 4)).toBe(true);
    expect(next.points.has(AT - 898)).toBe(false);
    expect(next.services).toBe(first.services);
    expect(changed(next, change(quiet, (AT + 6) * 1000))).toMatchObject({ more: 28, unread: 6 });
  });

  it("does not grow without end", () => {
    let grown = first;
    for (let second = 1; second < 200; second++) grown = changed(grown, change(quiet, (AT + second) * 1000));
    expect(grown.rows).toHaveLength(300);
    expect(grown.points.size).toBeLessThanOrEqual(901);
  });
});

describe("the live charts", () => {
  it("have every second that is over, and of those that are filling what is there", () => {
    const { times, points } = secondsOf(state([point(-9, 4), point(-1, 2), point(0, 1)], 0, 1800), 10);
    expect(times).toEqual([-10, -9, -8, -7, -6, -5, -4, -3, -1, 0].map((second) => AT + second));
    expect(points.map((one) => one?.requests ?? 0)).toEqual([0, 4, 0, 0, 0, 0, 0, 0, 2, 1]);
  });

  it("show a long silence as one", () => {
    expect(secondsOf(state([], 0, 60_000), 10).times).toHaveLength(10);
    expect(secondsOf(state([], 0, null), 10).times).toHaveLength(10);
  });

  it("weigh the average by requests, over the seconds that are complete", () => {
    const seen = state([point(-3, 10, { average_ms: 40 }), point(-2, 30, { errors: 4 }), point(0, 1000)], 0, 400);
    expect(recentOf(seen)).toMatchObject({ requests: 40, requests_per_s: 4, average_ms: 17.5, failed: 0.1 });
    expect(recentOf(state([], 0, null))).toMatchObject({ average_ms: null, failed: null, worst_p95_ms: null });
  });

  it("move by the server's clock, smoothly, and follow it when it jumps", () => {
    const clock = new ServerClock();
    clock.heard(new Date(50_000).toISOString(), 10_000);
    expect(clock.at(11_000)).toBe(51_000);
    clock.heard(new Date(51_100).toISOString(), 11_000);
    expect(clock.at(11_000)).toBeCloseTo(51_010);
    clock.heard(new Date(90_000).toISOString(), 12_000);
    expect(clock.at(12_000)).toBe(90_000);
  });
});

describe("coming back", () => {
  it("takes longer each time, up to half a minute, and not in step with others", () => {
    expect([0, 1, 2, 9].map((failures) => backoff_ms(failures, () => 1))).toEqual([1000, 2000, 4000, 30_000]);
    expect(backoff_ms(3, () => 0)).toBe(4000);
  });
});
