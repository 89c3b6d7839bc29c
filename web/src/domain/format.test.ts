import { describe, expect, it } from "vitest";

import { ago, bytes, bytesPerSecond, count, digits, duration, moment, percent, rate, text, tickText } from "./format";

describe("a figure as text", () => {
  it.each([
    [0, "0"],
    [0.0123, "0.012"],
    [0.12, "0.12"],
    [1.234, "1.23"],
    [9.996, "10.0"],
    [12.34, "12.3"],
    [99.96, "100"],
    [1234567, "1,234,567"],
  ])("%f has about three digits: %s", (value, expected) => {
    expect(digits(value)).toBe(expected);
  });

  it.each([
    [null, "–"],
    [0, "0 ms"],
    [0.0005, "0.50 µs"],
    [0.9996, "1.00 ms"],
    [12.34, "12.3 ms"],
    [999.6, "1.00 s"],
    [61_000, "61.0 s"],
    [600_000, "10.0 min"],
    [7_200_000, "2.00 h"],
  ])("a duration of %s ms is %s", (ms, expected) => {
    expect(text(duration(ms))).toBe(expected);
  });

  it("never rounds a failure away", () => {
    expect(text(percent(0.999999))).toBe("99.99 %");
    expect(text(percent(1))).toBe("100 %");
    expect(text(percent(0.000001))).toBe("<0.01 %");
    expect(text(percent(0))).toBe("0 %");
    expect(text(percent(0.956))).toBe("95.60 %");
  });

  it("tells slow rates by the minute", () => {
    expect(text(rate(0.03))).toBe("1.80/min");
    expect(text(rate(0))).toBe("0/s");
    expect(text(rate(42))).toBe("42.0/s");
    expect(text(rate(123_456))).toBe("123 k/s");
  });

  it("counts bytes in powers of two and says so", () => {
    expect(text(bytes(512))).toBe("512 B");
    expect(text(bytes(1024))).toBe("1.00 KiB");
    expect(text(bytes(1023 * 1024))).toBe("1.00 MiB");
    expect(text(bytesPerSecond(3 * 1024 ** 3))).toBe("3.00 GiB/s");
  });

  it("shows what nobody measured as such, not as 0", () => {
    for (const quantity of [duration(null), rate(undefined), percent(null), bytes(null), count(null)]) {
      expect(text(quantity)).toBe("–");
    }
  });

  it("has no trailing zeros on an axis", () => {
    expect(tickText(duration(10))).toBe("10 ms");
    expect(tickText(duration(2.5))).toBe("2.5 ms");
    expect(tickText(rate(20))).toBe("20/s");
    expect(tickText(count(100))).toBe("100");
  });
});

describe("a time as text", () => {
  it("is local wall-clock time to the millisecond", () => {
    const at = new Date(2025, 10, 20, 23, 43, 7, 9);
    expect(moment(at.getTime())).toBe("2025-11-20 23:43:07.009");
    expect(moment(at.getTime(), "time")).toBe("23:43:07.009");
    expect(moment(at.getTime(), "minute")).toBe("2025-11-20 23:43");
    expect(moment("nonsense")).toBe("–");
  });

  it("is told from now in the user's language, and never lies in the future", () => {
    const now = Date.UTC(2025, 10, 20, 12);
    const earlier = (seconds: number) => new Date(now - seconds * 1000).toISOString();
    expect(ago(earlier(5), "en", now)).toBe("5 sec. ago");
    expect(ago(earlier(119), "en", now)).toBe("1 min. ago");
    expect(ago(earlier(2 * 86_400), "en", now)).toBe("2 days ago");
    expect(ago(earlier(-30), "en", now)).toBe("0 sec. ago");
    expect(ago(earlier(5), "zh", now)).toBe("5秒前");
  });
});
