/** Weights of a profile as text. */

import { bytes, count, duration, percent, type Quantity } from "../../domain/format";
import type { WeightUnit } from "./profile";

export function weightText(weight: number | null, unit: WeightUnit): Quantity {
  if (unit === "bytes") return bytes(weight);
  if (unit === "count") return count(weight);
  return duration(weight === null ? null : weight / 1e6);
}

export const shareText = (part: number, all: number): Quantity => percent(all > 0 ? part / all : null);
