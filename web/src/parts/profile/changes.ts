/** Amounts with a sign, for comparisons of two runs. */

import { bytes, count, duration, NOTHING, type Quantity, rate } from "../../domain/format";

const signed = (value: number, { value: size, unit }: Quantity): Quantity => ({
  value: `${size === "0" ? "" : value > 0 ? "+" : "−"}${size}`,
  unit,
});

/** +1.2 MiB, −300 B; 0 B where nothing changed, or a part of a byte. `atLeast`: ≥ in front of what may be further from 0. */
export function bytesChange(change: number, atLeast = false): Quantity {
  const { value, unit } = signed(change, bytes(Math.abs(change)));
  return { value: atLeast ? `≥ ${value}` : value, unit };
}

export const countChange = (change: number | null): Quantity =>
  change === null ? { value: NOTHING, unit: "" } : signed(change, count(Math.abs(change)));

export const durationChange = (ns: number): Quantity => signed(ns, duration(Math.abs(ns) / 1e6));

export const rateChange = (perSecond: number): Quantity => signed(perSecond, rate(Math.abs(perSecond)));

/** More memory, time or calls are bad news. */
export const changeTone = (change: number) => (change > 0 ? "error" : change < 0 ? "ok" : undefined);
