import { describe, expect, it } from "vitest";

import type { MapEdge, MapNode } from "../../api/types";
import { shortened } from "../shortened";
import { edgeData, nodeData } from "./elements";
import { callId, layoutOf, placeOf, relativeTo, shapeOf, spotOf } from "./layout";

const node = (id: string): MapNode => ({
  id,
  name: id,
  type: "service",
  system: "",
  requests: 60,
  errors: 0,
  average_ms: 2,
  p95_ms: 5,
});
const edge = (source: string, target: string, errors = 0): MapEdge => ({
  source,
  target,
  requests: 60,
  errors,
  average_ms: 2,
  p95_ms: 5,
  is_message: false,
  known_by: "",
  other_end: null,
});

const NODES = ["clients", "front", "orders", "stock"].map(node);
const EDGES = [edge("clients", "front"), edge("front", "orders"), edge("front", "stock"), edge("orders", "stock")];

describe("the layout of the map", () => {
  it("puts callers left of what they call", () => {
    const { places } = layoutOf(NODES, EDGES, "right");
    const x = (id: string) => places.get(id)?.x as number;
    expect(x("clients")).toBeLessThan(x("front"));
    expect(x("front")).toBeLessThan(x("orders"));
    expect(x("orders")).toBeLessThan(x("stock"));
  });

  it("puts callers above what they call where there is no width", () => {
    const { places } = layoutOf(NODES, EDGES, "down");
    expect(places.get("front")?.y).toBeLessThan(places.get("orders")?.y as number);
  });

  it("is the same in whatever order the answer comes", () => {
    const turned = layoutOf([...NODES].reverse(), [...EDGES].reverse(), "right");
    expect([...turned.places].sort()).toEqual([...layoutOf(NODES, EDGES, "right").places].sort());
    expect(shapeOf([...NODES].reverse(), [...EDGES].reverse())).toBe(shapeOf(NODES, EDGES));
  });

  it("does not depend on figures", () => {
    const busier = NODES.map((one) => ({ ...one, requests: 9999 }));
    expect(shapeOf(busier, EDGES)).toBe(shapeOf(NODES, EDGES));
  });

  it("bends a call that would pass through a node on its way", () => {
    const { bends } = layoutOf(NODES, EDGES, "right");
    expect([...bends.keys()]).toEqual([callId("front", "stock")]);
  });

  it("leaves out calls whose ends are not there, and survives circles and calls to oneself", () => {
    const { places } = layoutOf(
      NODES,
      [...EDGES, edge("stock", "front"), edge("orders", "orders"), edge("x", "y")],
      "right",
    );
    expect(places.size).toBe(4);
  });

  it("gives a dragged node the place where it was put", () => {
    const place = { x: 333, y: -41 };
    for (const direction of ["right", "down"] as const)
      expect(placeOf(spotOf(place, direction), direction)).toEqual(place);
  });

  it("tells bends relative to the straight line", () => {
    expect(relativeTo({ x: 0, y: 0 }, { x: 100, y: 0 }, { x: 25, y: 10 })).toEqual({ weight: 0.25, distance: 10 });
  });
});

describe("labels of the map", () => {
  it("keep the front and the end of a long name", () => {
    expect(shortened("orders")).toBe("orders");
    expect(shortened("recommendation-engine-canary", 16)).toBe("recommenda…anary");
  });

  it("show errors only where there are some", () => {
    expect(edgeData(edge("a", "b"), 60).label).toBe("1.00/s · 5.00 ms");
    expect(edgeData(edge("a", "b", 6), 60)).toMatchObject({ label: "1.00/s · 5.00 ms · ✕ 10.0 %", health: "error" });
  });

  it("leave a silent call without figures", () => {
    expect(edgeData({ ...edge("a", "b"), requests: 0 }, 60)).toMatchObject({ label: "", health: "idle" });
  });

  it("leave a node without traffic with its name alone", () => {
    expect(nodeData({ ...node("a"), requests: 0 }, 60).label).toBe("a");
  });
});
