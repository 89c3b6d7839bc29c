import { describe, expect, it } from "vitest";

import { text } from "../../domain/format";
import { lineOf, quantityOf, summaryOf, titleOf } from "./summary";

describe("a summary of any tool", () => {
  it("is figures and tables", () => {
    const { values, tables } = summaryOf({
      samples: 812,
      period_ns: 10_000_000,
      threads: { main: 1, workers: 4 },
      functions: [
        { name: "price", self_ns: 5 },
        { name: "main", file: "/a.py" },
      ],
      empty: [],
    });
    expect(values).toEqual([
      ["samples", 812],
      ["period_ns", 10_000_000],
      ["threads.main", 1],
      ["threads.workers", 4],
    ]);
    expect(tables).toHaveLength(1);
    expect(tables[0]).toMatchObject({ name: "functions", columns: ["name", "self_ns", "file"] });
  });

  it("reads units from names", () => {
    const shown = (name: string, value: number) => text(quantityOf(name, value));
    expect(shown("self_ns", 1_500_000)).toBe("1.50 ms");
    expect(shown("seconds", 3)).toBe("3.00 s");
    expect(shown("rss_bytes", 2048)).toBe("2.00 KiB");
    expect(shown("self_share", 0.25)).toBe("25.0 %");
    expect(shown("line", 12345)).toBe("12345");
    expect(shown("calls", 12345)).toBe("12,345");
    expect(titleOf("self_total_ns")).toBe("Self total");
  });

  it("shows anything as one line", () => {
    expect(lineOf("x", null)).toBe("–");
    expect(lineOf("chain", ["a", "b"])).toBe("a › b");
    expect(lineOf("o", { size_bytes: 10 })).toBe("Size 10 B");
  });
});
