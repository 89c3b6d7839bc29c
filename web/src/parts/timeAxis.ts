/** Labels of a time axis: 24 h clock, the day where it changes. */

const two = (value: number) => String(value).padStart(2, "0");

/** `step_s` is the distance of two ticks. */
export function timeLabel(time_s: number, step_s: number): string {
  const at = new Date(time_s * 1000);
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (step_s >= 86_400) return day;
  if (step_s < 60) return `${minute}:${two(at.getSeconds())}`;
  return minute === "00:00" ? day : minute;
}

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;
const ROUND_STEPS_S = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_S),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_S),
  ...[1, 2, 7].map((days) => days * DAY_S),
];

export interface TimeTicks {
  step_s: number;
  /** Epoch milliseconds. */
  times: number[];
}

/** Round local times between two moments (epoch ms), at most `most` of them. */
export function timeTicks(from: number, to: number, most: number): TimeTicks {
  const needed_s = (to - from) / 1000 / Math.max(1, most);
  const step_s = ROUND_STEPS_S.find((step) => step >= needed_s) ?? Math.ceil(needed_s / DAY_S) * DAY_S;
  const step = step_s * 1000;
  const zone = new Date(from).getTimezoneOffset() * 60_000;
  const times: number[] = [];
  for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to; time += step) times.push(time);
  return { step_s, times };
}
