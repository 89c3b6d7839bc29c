/** Series that stand on each other. */

import type { Series } from "./TimeSeries";

type Layer = Pick<Series, "label" | "values" | "colour">;

/**
 * The layers as they are drawn, the topmost first: each covers what the ones above it leave open. The head tells each
 * layer's own value. Where a layer has none it is as high as what it stands on; where none has any there is a gap.
 */
export function stackedOf(layers: readonly Layer[]): Series[] {
  const below: (number | null)[] = [];
  const drawn = layers.map<Series>(({ label, values, colour }) => {
    values.forEach((value, at) => {
      const under = below[at] ?? null;
      below[at] = value === null ? under : (under ?? 0) + value;
    });
    return { label, colour, style: "stacked", values: [...below], shown: values };
  });
  return drawn.reverse();
}
