const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

/** Before the next try after so many in vain: doubling, and not in step with all other browsers. */
export function backoff_ms(failures: number, random: () => number = Math.random): number {
  return Math.min(FIRST_MS * 2 ** failures, LONGEST_MS) * (0.5 + random() / 2);
}
