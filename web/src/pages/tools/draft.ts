/** What is typed into the start form, until it is sent. */

import type { OptionValues, Tool, ToolOption } from "../../api/types";

export const DEFAULT_SECONDS = 10;
export const LEAST_SECONDS = 1;
export const MOST_SECONDS = 3600;

export interface Draft {
  seconds: number | string;
  options: OptionValues;
}

export const draftFor = (tool: Tool): Draft => ({
  seconds: DEFAULT_SECONDS,
  options: Object.fromEntries(Object.entries(tool.options).map(([name, option]) => [name, option.default])),
});

export const isSeconds = (value: number | string) => isWithin(value, LEAST_SECONDS, MOST_SECONDS);

export function isGood(option: ToolOption, value: boolean | number | string | undefined): boolean {
  if (typeof option.default === "boolean") return typeof value === "boolean";
  if (typeof option.default === "number") {
    return isWithin(value, option.at_least ?? Number.NEGATIVE_INFINITY, option.at_most ?? Number.POSITIVE_INFINITY);
  }
  if (typeof value !== "string" || value.trim().length < (option.at_least ?? 0)) return false; // in characters
  return !option.choices?.length || option.choices.includes(value);
}

const isWithin = (value: unknown, least: number, most: number) =>
  value !== "" && typeof value !== "boolean" && Number(value) >= least && Number(value) <= most;

export const isReady = (tool: Tool, draft: Draft) =>
  (tool.at_once || isSeconds(draft.seconds)) &&
  Object.entries(tool.options).every(([name, option]) => isGood(option, draft.options[name]));

/** As they are sent: only what differs from the default, and what was typed as a number is one. */
export function valuesOf(tool: Tool, draft: Draft): OptionValues {
  const values: OptionValues = {};
  for (const [name, option] of Object.entries(tool.options)) {
    const value = draft.options[name] ?? option.default;
    const typed = typeof option.default === "number" ? Number(value) : value;
    if (typed !== option.default) values[name] = typed;
  }
  return values;
}
