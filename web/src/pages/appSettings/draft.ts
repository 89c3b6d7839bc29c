/** Settings of an app while they are being typed. */

import type { SettingsWish } from "../../api/statistics";
import type { AppSettings } from "../../api/statisticsTypes";

export const MOST_MS = 120_000;
export const LATE_S = { least: 60, most: 30 * 86_400 } as const;

/** What is being typed is a text, or a number, or nothing yet. */
type Typed = number | string;

export interface SettingsDraft {
  time_zone: string;
  apdex_t_ms: Typed;
  normal_ms: Typed;
  slow_ms: Typed;
  timeout_ms: Typed;
  late_max_s: Typed;
}

export const draftOf = ({ time_zone, apdex_t_ms, normal_ms, slow_ms, timeout_ms, late_max_s }: AppSettings) =>
  ({ time_zone, apdex_t_ms, normal_ms, slow_ms, timeout_ms, late_max_s }) satisfies SettingsDraft;

export const isThreshold = (typed: Typed, most: number = MOST_MS) =>
  typed !== "" && Number(typed) > 0 && Number(typed) <= most;

export const isLate = (typed: Typed) =>
  typed !== "" && Number.isInteger(Number(typed)) && Number(typed) >= LATE_S.least && Number(typed) <= LATE_S.most;

/** Fields that cannot be kept as they stand. */
export function badFields(draft: SettingsDraft): Set<keyof SettingsDraft> {
  const bad = new Set<keyof SettingsDraft>();
  if (draft.apdex_t_ms !== "" && !isThreshold(draft.apdex_t_ms, MOST_MS / 4)) bad.add("apdex_t_ms");
  for (const field of ["normal_ms", "slow_ms", "timeout_ms"] as const) if (!isThreshold(draft[field])) bad.add(field);
  if (!isLate(draft.late_max_s)) bad.add("late_max_s");
  return bad;
}

/** A request that is normal is not slow. */
export const isInOrder = ({ normal_ms, slow_ms }: SettingsDraft) => Number(normal_ms) <= Number(slow_ms);

export const wishOf = (draft: SettingsDraft): SettingsWish => ({
  time_zone: draft.time_zone,
  apdex_t_ms: draft.apdex_t_ms === "" ? null : Number(draft.apdex_t_ms),
  normal_ms: Number(draft.normal_ms),
  slow_ms: Number(draft.slow_ms),
  timeout_ms: Number(draft.timeout_ms),
  late_max_s: Number(draft.late_max_s),
});

/** Whether what is counted at these thresholds is exact; else it is estimated within a bucket. */
export const isExact = (exact_ms: readonly number[], ...thresholds: number[]) =>
  thresholds.every((threshold) => exact_ms.includes(threshold));
