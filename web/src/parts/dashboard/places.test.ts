import { describe, expect, it } from "vitest";

import type { Panel } from "../../api/dashboardsTypes";
import { freeId, moved, settled } from "./places";

const panel = (id: string, x: number, y: number, w: number, h: number): Panel => ({
  id,
  title: "",
  kind: "text",
  x,
  y,
  w,
  h,
  unit: "",
  queries: [],
  text: "",
});
const at = (panels: readonly Panel[]) => Object.fromEntries(panels.map(({ id, x, y }) => [id, [x, y]]));

describe("the places of panels", () => {
  it("have no holes above them, and none covers another", () => {
    const panels = [panel("a", 0, 5, 6, 2), panel("b", 6, 9, 6, 3), panel("c", 3, 6, 6, 1)];
    expect(at(settled(panels))).toEqual({ a: [0, 0], c: [3, 2], b: [6, 3] });
  });

  it("give way to the panel that was moved", () => {
    const panels = [panel("a", 0, 0, 6, 2), panel("b", 0, 0, 6, 2)];
    expect(at(settled(panels, "b"))).toEqual({ b: [0, 0], a: [0, 2] });
    expect(at(settled(panels, "a"))).toEqual({ a: [0, 0], b: [0, 2] });
  });

  it("stay within the columns, whatever is asked", () => {
    expect(moved(panel("a", 8, 0, 4, 2), { x: 3 })).toMatchObject({ x: 8, w: 4 });
    expect(moved(panel("a", 8, 0, 4, 2), { w: 3 })).toMatchObject({ x: 5, w: 7 });
    expect(moved(panel("a", 0, 0, 1, 1), { w: -1, h: -1, x: -1, y: -1 })).toMatchObject({ x: 0, y: 0, w: 1, h: 1 });
  });

  it("find an id that no other has", () => {
    expect(freeId([panel("panel-2", 0, 0, 1, 1)])).toBe("panel-3");
  });
});
