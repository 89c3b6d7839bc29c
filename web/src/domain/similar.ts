/** Which of many requests of one endpoint are worth a look beside another. */

/** `count` of them from the fastest to the slowest, evenly over their order; all where there are no more. */
export function spreadByDuration<T extends { duration_ms: number }>(rows: readonly T[], count: number): T[] {
  const ordered = [...rows].sort((a, b) => a.duration_ms - b.duration_ms);
  if (ordered.length <= count) return ordered;
  return Array.from(
    { length: count },
    (_, place) => ordered[Math.round((place / (count - 1)) * (ordered.length - 1))] as T,
  );
}
