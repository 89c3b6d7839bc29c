/** How the values of a panel are written. */

import type { PanelUnit } from "../../api/dashboardsTypes";
import { bytes, bytesPerSecond, digits, duration, NOTHING, percent, type Quantity, rate } from "../../domain/format";

export const UNITS: readonly PanelUnit[] = ["", "ms", "s", "bytes", "bytes/s", "per_s", "ratio"];

const plain = (value: number | null): Quantity => ({ value: value === null ? NOTHING : digits(value), unit: "" });

const FORMATS: Record<PanelUnit, (value: number | null) => Quantity> = {
  "": plain,
  ms: duration,
  s: (value) => duration(value === null ? null : value * 1000),
  bytes,
  "bytes/s": bytesPerSecond,
  per_s: rate,
  ratio: percent,
};

export const formatOf = (unit: PanelUnit) => FORMATS[unit];

/** The unit of a column of the lists, by its name. */
export function unitOfColumn(column: string): PanelUnit | undefined {
  if (column.endsWith("_ms")) return "ms";
  if (column.endsWith("_bytes")) return "bytes";
  if (column.endsWith("_per_s")) return "per_s";
  if (column === "success_rate" || column.endsWith("_utilization")) return "ratio";
  return undefined;
}
