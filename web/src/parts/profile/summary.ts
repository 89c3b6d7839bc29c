/** A tool's own summary as figures and tables, whatever is in it: units are read from the names. */

import {
  bytes,
  bytesPerSecond,
  count,
  duration,
  NOTHING,
  percent,
  type Quantity,
  rate,
  text,
} from "../../domain/format";

export type Row = Record<string, unknown>;

export interface SummaryTable {
  name: string;
  columns: string[];
  rows: Row[];
}

export interface Summary {
  /** Single values by name. */
  values: [name: string, value: unknown][];
  tables: SummaryTable[];
}

const MOST_COLUMNS = 12;

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

/** Lists of objects are tables, objects within objects are named `outer.inner`, the rest are values. */
export function summaryOf(document: Row): Summary {
  const summary: Summary = { values: [], tables: [] };
  takeIn(summary, "", document);
  return summary;
}

function takeIn(summary: Summary, prefix: string, object: Row): void {
  for (const [key, value] of Object.entries(object)) {
    const name = prefix + key;
    if (Array.isArray(value) && value.length > 0 && value.every(isRow)) {
      summary.tables.push({ name, columns: columnsOf(value), rows: value });
    } else if (isRow(value)) takeIn(summary, `${name}.`, value);
    else if (!Array.isArray(value) || value.length > 0) summary.values.push([name, value]);
  }
}

function columnsOf(rows: readonly Row[]): string[] {
  const columns = new Set<string>();
  for (const row of rows) for (const key of Object.keys(row)) columns.add(key);
  return [...columns].slice(0, MOST_COLUMNS);
}

const UNITS: [RegExp, (value: number) => Quantity][] = [
  [/(^|_)bytes_per_s$/, bytesPerSecond],
  [/_per_s$/, rate],
  [/(^|[_.])ns$/, (value) => duration(value / 1e6)],
  [/_us$/, (value) => duration(value / 1e3)],
  [/_ms$/, duration],
  [/(^|_)(s|seconds)$/, (value) => duration(value * 1e3)],
  [/(^|[_.])(bytes|size|rss)$|^memory\.kernel\./, bytes],
  [/(^|_)(share|fraction|ratio)$/, percent],
];

/** A number with the unit that its name tells. */
export function quantityOf(name: string, value: number): Quantity {
  const unit = UNITS.find(([pattern]) => pattern.test(name));
  if (unit) return unit[1](value);
  if (/(^|_)(pid|tid|line|fd|thread|id)$/.test(name)) return { value: String(value), unit: "" };
  return Number.isInteger(value) ? count(value) : { value: String(Number(value.toPrecision(4))), unit: "" };
}

/** Anything as one line. */
export function lineOf(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  if (typeof value === "number") return text(quantityOf(name, value));
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "✓" : NOTHING;
  if (Array.isArray(value)) return value.map((one) => lineOf(name, one)).join(" › ");
  return Object.entries(value as Row)
    .map(([key, one]) => `${titleOf(key)} ${lineOf(key, one)}`)
    .join(", ");
}

/** `total_ns` → Total; the unit stands with the value. */
export function titleOf(name: string): string {
  const words = name
    .replace(/\./g, " ")
    .replace(/_(ns|us|ms|s|seconds|bytes)$/, "")
    .replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
