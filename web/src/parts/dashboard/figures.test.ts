import { describe, expect, it } from "vitest";
import { translate } from "../../i18n";
import { legendsOf } from "./figures";

const t: Parameters<typeof legendsOf>[1] = (key, values) => translate("en", key, values);

describe("the legend of a panel", () => {
  it("says figures in words", () => {
    expect(legendsOf(["web-1 cpu_user", "web-1 cpu_iowait"], t)).toEqual(["User", "Disk wait"]);
  });

  it("says whose they are where they are several", () => {
    expect(legendsOf(["front p95_ms", "stock p95_ms"], t)).toEqual(["front p95", "stock p95"]);
  });

  it("leaves names that somebody chose as they are", () => {
    expect(legendsOf(["p95_ms", "my p95_msec", "front error_rate"], t)).toEqual([
      "p95_ms",
      "my p95_msec",
      "front Failed",
    ]);
  });
});
