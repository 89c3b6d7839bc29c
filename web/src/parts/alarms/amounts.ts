/** Values of rules as text, in the units that the API names. */

import type { AlarmWhat } from "../../api/alarmsTypes";
import { count, digits, duration, NOTHING, percent, type Quantity, rate, text, tickText } from "../../domain/format";

const COUNTED: Record<string, string> = { requests_per_s: "1/s", requests: "requests", errors: "errors" };
const SHARES = ["error_rate", "apdex", "cpu_utilization", "memory_used", "swap_used", "disk_used", "inodes_used"];

/** As the server says it of a rule that is kept; here for one that is only being written. */
export function unitOf({ kind, statistic, figure }: AlarmWhat): string {
  if (kind === "no_data" || kind === "agent") return "s";
  if (kind === "errors") return "errors";
  const name = (kind === "statistic" ? statistic : figure) ?? "";
  if (SHARES.includes(name)) return "ratio";
  if (name.endsWith("_ms")) return "ms";
  return COUNTED[name] ?? "";
}

/** An Apdex is a share that nobody reads in per cent. */
export function amountOf(unit: string, what?: Pick<AlarmWhat, "statistic">): (value: number | null) => Quantity {
  if (what?.statistic === "apdex") return number;
  switch (unit) {
    case "ms":
      return duration;
    case "s":
      return (value) => duration(value === null ? null : value * 1000);
    case "ratio":
      return percent;
    case "1/s":
      return rate;
    case "requests":
    case "errors":
      return count;
    default:
      return number;
  }
}

const number = (value: number | null): Quantity =>
  value === null ? { value: NOTHING, unit: "" } : { value: digits(value), unit: "" };

/** Without zeros at the end: what somebody typed. */
export const said = (value: number | null, unit: string, what?: Pick<AlarmWhat, "statistic">) =>
  tickText(amountOf(unit, what)(value));

/** In the unit that it was typed in, where it is none. */
export const lasting = (seconds: number) => (seconds === 0 ? "0 s" : tickText(duration(seconds * 1000)));

/** From when to when, where it is over. */
export const between = (from: string, to: string | null, now = Date.now()) =>
  text(duration((to === null ? now : new Date(to).getTime()) - new Date(from).getTime()));

/** What tells a group from the others; empty for a rule with one group. */
export const groupText = (group: Record<string, string>) => Object.values(group).join(" · ");

/** Score from which on an alarm that comes and goes is said to flap. */
export const FLAPS = 0.5;
