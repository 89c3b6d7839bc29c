/** Where panels stand. */

import type { Panel } from "../../api/dashboardsTypes";

export const COLUMNS = 12;

type Place = Pick<Panel, "x" | "y" | "w" | "h">;

const meet = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** No panel covers another: from above, each goes as far up as what stands there already lets it. The one with the id
 * `first` keeps its place before the others. */
export function settled(panels: readonly Panel[], first?: string): Panel[] {
  const order = [...panels].sort((a, b) => a.y - b.y || Number(b.id === first) - Number(a.id === first) || a.x - b.x);
  const placed: Panel[] = [];
  for (const panel of order) {
    let y = 0;
    while (placed.some((other) => meet({ ...panel, y }, other))) y++;
    placed.push({ ...panel, y });
  }
  return placed;
}

/** `panel` somewhere else, or of another size, within the columns there are. */
export function moved(panel: Panel, by: Partial<Place>): Panel {
  const w = Math.min(COLUMNS, Math.max(1, panel.w + (by.w ?? 0)));
  const h = Math.min(40, Math.max(1, panel.h + (by.h ?? 0)));
  const x = Math.min(COLUMNS - w, Math.max(0, panel.x + (by.x ?? 0)));
  return { ...panel, w, h, x, y: Math.max(0, panel.y + (by.y ?? 0)) };
}

/** The row below all panels. */
export const bottom = (panels: readonly Panel[]) => panels.reduce((row, { y, h }) => Math.max(row, y + h), 0);

/** An id that no panel has. */
export function freeId(panels: readonly Panel[]): string {
  const taken = new Set(panels.map(({ id }) => id));
  let number = panels.length + 1;
  while (taken.has(`panel-${number}`)) number++;
  return `panel-${number}`;
}
