/** The path of a sparkline. Pure, so that its edges can be tested without a browser. */

export interface SparkPaths {
  line: string;
  area: string;
}

/**
 * `values` left to right over `width` × `height`, from zero up; null is a gap.
 * The path keeps half a stroke away from the edges, so that a peak is not cut.
 */
export function sparkPaths(values: readonly (number | null)[], width: number, height: number): SparkPaths {
  const top = Math.max(...values.map((value) => value ?? 0), 0);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const yOf = (value: number) => (top === 0 ? height - 1 : 1 + (1 - value / top) * (height - 2));

  let line = "";
  let area = "";
  let run: [number, number][] = [];
  const endRun = () => {
    const first = run[0];
    const last = run[run.length - 1];
    if (first && last) {
      const points = run.map(([x, y]) => `${round(x)} ${round(y)}`).join("L");
      line += run.length === 1 ? `M${round(first[0])} ${round(first[1])}h.01` : `M${points}`;
      area += `M${round(first[0])} ${height}L${points}L${round(last[0])} ${height}Z`;
    }
    run = [];
  };
  values.forEach((value, index) => {
    if (value === null) endRun();
    else run.push([index * step, yOf(value)]);
  });
  endRun();
  return { line, area };
}

const round = (value: number) => Math.round(value * 10) / 10;
