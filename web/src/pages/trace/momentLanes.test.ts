import { describe, expect, it } from "vitest";

import type { Moment } from "../../api/types";
import { kindOf, laneOf, placed } from "./momentLanes";

const moment = (more: Partial<Moment>): Moment => ({
  event: "",
  own: true,
  time: "2026-01-01T00:00:00Z",
  offset_ms: 0,
  duration_ms: 0,
  service: "orders",
  instance: "1",
  span_id: "",
  severity: 9,
  text: "",
  attributes: {},
  ...more,
});

describe("moments of a trace", () => {
  it("share a lane by what they are", () => {
    expect(laneOf(moment({ event: "sonde.gc_pause" }))).toBe("gc_pause");
    expect(laneOf(moment({ event: "sonde.queued" }))).toBe("queued");
    expect(laneOf(moment({ event: "sonde.of_a_newer_probe" }))).toBe("event");
    expect(laneOf(moment({ event: "login" }))).toBe("line");
  });

  it("show how bad a log line is", () => {
    expect([21, 17, 13, 9, 0].map((severity) => kindOf(moment({ severity })))).toEqual([
      "error",
      "error",
      "warning",
      "line",
      "line",
    ]);
    expect(kindOf(moment({ event: "sonde.stall", severity: 17 }))).toBe("stall");
  });

  it("stand where they happened, cut at the ends of the trace", () => {
    expect(placed(moment({ offset_ms: 20, duration_ms: 30 }), 100)).toEqual({ left: "20%", width: "30%" });
    expect(placed(moment({ offset_ms: -50, duration_ms: 60 }), 100)).toEqual({ left: "0%", width: "10%" });
    expect(placed(moment({ offset_ms: 90, duration_ms: 900 }), 100)).toEqual({ left: "90%", width: "10%" });
  });

  it("stand below the bars of the part that is in view, and others do not", () => {
    const view = { from: 20, to: 70 };
    expect(placed(moment({ offset_ms: 30, duration_ms: 10 }), 100, view)).toEqual({ left: "20%", width: "20%" });
    expect(placed(moment({ offset_ms: 10, duration_ms: 20 }), 100, view)).toEqual({ left: "0%", width: "20%" });
    expect(placed(moment({ offset_ms: 5, duration_ms: 10 }), 100, view)).toBeNull();
    expect(placed(moment({ offset_ms: 90 }), 100, view)).toBeNull();
  });

  it("can be seen and reached when they are points, also at the very end or after it", () => {
    expect(placed(moment({ offset_ms: 40 }), 100)).toEqual({ left: "40%", width: "0.25%" });
    expect(placed(moment({ offset_ms: 3000 }), 100)).toEqual({ left: "99.75%", width: "0.25%" });
    expect(placed(moment({ offset_ms: 1 }), 0)).toEqual({ left: "0%", width: "0.25%" });
  });
});
