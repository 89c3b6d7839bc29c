/** How much of a service is recorded: what the fields hold, what they mean, and in a few words. */

import type { Sampling, SamplingWish } from "../api/types";
import type { Translate } from "../i18n";

export const MOST_SLOW_MS = 1e9;

/** The fields as they are typed. Empty: as configured. */
export interface SamplingDraft {
  rate: number | string;
  slow: number | string;
  caller: "" | "follow" | "own";
}

export function draftOf({ sampling_rate, slow_ms, sampling_follows_parent }: SamplingWish): SamplingDraft {
  const caller = sampling_follows_parent === null ? "" : sampling_follows_parent ? "follow" : "own";
  return { rate: sampling_rate ?? "", slow: slow_ms ?? "", caller };
}

export function wishOf({ rate, slow, caller }: SamplingDraft): SamplingWish {
  return {
    sampling_rate: numberOf(rate),
    slow_ms: numberOf(slow),
    sampling_follows_parent: caller === "" ? null : caller === "follow",
  };
}

const numberOf = (typed: number | string) => (String(typed).trim() === "" ? null : Number(typed));

const within = (value: number | null, most: number) => value === null || (value >= 0 && value <= most);

export const isRate = (rate: SamplingDraft["rate"]) => within(numberOf(rate), 100);
export const isSlow = (slow: SamplingDraft["slow"]) => within(numberOf(slow), MOST_SLOW_MS);

export const saysNothing = (wish: SamplingWish) =>
  wish.sampling_rate === null && wish.slow_ms === null && wish.sampling_follows_parent === null;

export const isSame = (one: SamplingWish, other: SamplingWish) =>
  one.sampling_rate === other.sampling_rate &&
  one.slow_ms === other.slow_ms &&
  one.sampling_follows_parent === other.sampling_follows_parent;

/** `10 %, slow from 300 ms`; what holds where the caller has decided is left out where there is more to say. */
export function inWords({ sampling_rate, slow_ms, sampling_follows_parent }: SamplingWish, t: Translate): string {
  const rate = sampling_rate === null ? "" : `${sampling_rate} %`;
  const slow = slow_ms === null ? "" : slowInWords(slow_ms, t);
  if (rate && slow) return t("sampling.both", { rate, slow });
  if (rate || slow) return rate || slow;
  return sampling_follows_parent === null ? t("sampling.configured") : callerInWords(sampling_follows_parent, t);
}

export const thresholdInWords = (slow_ms: number, t: Translate) =>
  slow_ms === 0 ? t("sampling.slow.none") : `${slow_ms.toLocaleString("en-US")} ms`;

const slowInWords = (slow_ms: number, t: Translate) =>
  slow_ms === 0 ? t("sampling.slow.none") : t("sampling.slow.from", { duration: thresholdInWords(slow_ms, t) });

export const callerInWords = (follows: boolean, t: Translate) =>
  t(follows ? "sampling.caller.follow" : "sampling.caller.own");

/** Who said it, without the word for what they are where that is plain. */
export function whoOf({ changed_by }: Sampling, t: Translate): string {
  const [kind, name = ""] = (changed_by ?? "").split(/:(.*)/s);
  return kind === "token" ? t("sampling.token", { id: name }) : name;
}
