/** What two spans at the same place say beside each other. */

import type { ComparedSpan } from "../api/tracesTypes";

export type State = "both" | "gone" | "new";

/** A part of the longer trace below which a difference is noise. */
const LEAST_PART = 0.02;

export function stateOf({ span_a, span_b }: Pick<ComparedSpan, "span_a" | "span_b">): State {
  if (!span_b) return "gone";
  return span_a ? "both" : "new";
}

/** Whether it is worth a look; `longest_ms`: the longer of both traces. */
export function differs(span: ComparedSpan, longest_ms: number): boolean {
  if (span.duration_a_ms === null || span.duration_b_ms === null || span.error_a !== span.error_b) return true;
  return isMuch(span.duration_b_ms - span.duration_a_ms, longest_ms);
}

export const isMuch = (difference_ms: number, longest_ms: number) => Math.abs(difference_ms) >= longest_ms * LEAST_PART;
