/** Figures as text. Each gives value and unit apart, so that a column can align both. */

export interface Quantity {
  value: string;
  unit: string;
}

/** What stands where nobody measured. */
export const NOTHING = "–";

const NO_QUANTITY: Quantity = { value: NOTHING, unit: "" };

/** About three significant digits, never an exponent: 0.012, 0.12, 1.23, 12.3, 123, 1,234. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return Math.round(value).toLocaleString("en-US");
  if (size >= 9.995) return value.toFixed(1);
  if (value === 0) return "0";
  if (size >= 0.0995) return value.toFixed(2);
  return Number(value.toPrecision(2)).toString();
}

export function duration(ms: number | null | undefined): Quantity {
  if (ms === null || ms === undefined) return NO_QUANTITY;
  if (ms === 0) return { value: "0", unit: "ms" };
  if (Math.abs(ms) < 0.9995) return { value: digits(ms * 1000), unit: "µs" };
  if (Math.abs(ms) < 999.5) return { value: digits(ms), unit: "ms" };
  const seconds = ms / 1000;
  if (seconds < 119.5) return { value: digits(seconds), unit: "s" };
  if (seconds < 7170) return { value: digits(seconds / 60), unit: "min" };
  return { value: digits(seconds / 3600), unit: "h" };
}

export function rate(perSecond: number | null | undefined): Quantity {
  if (perSecond === null || perSecond === undefined) return NO_QUANTITY;
  if (perSecond !== 0 && perSecond < 0.1) return { value: digits(perSecond * 60), unit: "/min" };
  if (perSecond >= 99_950) return { value: digits(perSecond / 1000), unit: "k/s" };
  return { value: perSecond === 0 ? "0" : digits(perSecond), unit: "/s" };
}

/** A fraction as per cent. Rounds towards the truth at the ends: 100 % only when nothing failed, 0 % only when nothing did not. */
export function percent(fraction: number | null | undefined): Quantity {
  if (fraction === null || fraction === undefined) return NO_QUANTITY;
  const value = fraction * 100;
  if (value === 0 || value === 100) return { value: String(value), unit: "%" };
  if (value > 99.99) return { value: "99.99", unit: "%" };
  if (value > 0 && value < 0.01) return { value: "<0.01", unit: "%" };
  return { value: value >= 10 && value < 90 ? value.toFixed(1) : value.toFixed(2), unit: "%" };
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

export function bytes(count: number | null | undefined): Quantity {
  if (count === null || count === undefined) return NO_QUANTITY;
  let step = 0;
  let value = count;
  while (Math.abs(value) >= 999.5 && step < BYTE_UNITS.length - 1) {
    value /= 1024;
    step++;
  }
  return { value: step === 0 ? String(Math.round(value)) : digits(value), unit: BYTE_UNITS[step] as string };
}

export function bytesPerSecond(count: number | null | undefined): Quantity {
  const { value, unit } = bytes(count);
  return { value, unit: unit && `${unit}/s` };
}

export function count(value: number | null | undefined): Quantity {
  if (value === null || value === undefined) return NO_QUANTITY;
  if (value >= 9_999_500) return { value: digits(value / 1e6), unit: "M" };
  return { value: Math.round(value).toLocaleString("en-US"), unit: "" };
}

export function plain(value: number | null | undefined, decimals: number): Quantity {
  if (value === null || value === undefined) return NO_QUANTITY;
  return { value: value.toFixed(decimals), unit: "" };
}

export function text({ value, unit }: Quantity): string {
  if (!unit) return value;
  return unit.startsWith("/") ? value + unit : `${value} ${unit}`;
}

/** For an axis, whose marks are round numbers: no trailing zeros. */
export function tickText({ value, unit }: Quantity): string {
  return text({ value: value.includes(".") ? value.replace(/\.?0+$/, "") : value, unit });
}

/** Local wall-clock time to the millisecond, as in logs: 2025-11-20 23:43:07.123 */
export function moment(time: string | number, part: "full" | "time" | "minute" = "full"): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return NOTHING;
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (part === "minute") return `${day} ${minute}`;
  const clock = `${minute}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  return part === "time" ? clock : `${day} ${clock}`;
}

const AGO_STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, "second"],
  [3600, "minute"],
  [86_400, "hour"],
  [Number.POSITIVE_INFINITY, "day"],
];
const AGO_SIZES: Record<string, number> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

export function ago(time: string, language: string, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - new Date(time).getTime()) / 1000));
  const unit = (AGO_STEPS.find(([below]) => seconds < below) as [number, Intl.RelativeTimeFormatUnit])[1];
  const amount = Math.floor(seconds / (AGO_SIZES[unit] as number));
  return new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" }).format(-amount, unit);
}
