/** Places of the dots of a scatter plot. Pure. */

export interface LogScale {
  low: number;
  high: number;
}

/** Whole decades around the values, at least one; nothing below a microsecond. */
export function decadesAround(values: readonly number[]): LogScale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { low: 1, high: 10 };
  const least = positive.reduce((a, b) => Math.min(a, b));
  const most = positive.reduce((a, b) => Math.max(a, b));
  const low = 10 ** Math.floor(Math.log10(Math.max(0.001, least)));
  const high = 10 ** Math.ceil(Math.log10(most));
  return { low, high: high > low ? high : low * 10 };
}

/** 0 at the foot, 1 at the top. */
export function heightOf(value: number, { low, high }: LogScale): number {
  const share = Math.log10(Math.max(value, low) / low) / Math.log10(high / low);
  return Math.min(1, share);
}

/** A line at each power of ten. */
export function decades({ low, high }: LogScale): number[] {
  const lines: number[] = [];
  for (let power = Math.round(Math.log10(low)); power <= Math.round(Math.log10(high)); power++) lines.push(10 ** power);
  return lines;
}
