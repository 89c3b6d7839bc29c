import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { MADE_BY_NODE, type MadeKind } from "../../../dev/nodejsFiles";
import { costsBy } from "../profile/functions";
import { BadProfile, type Profile } from "../profile/profile";
import { type CpuProfileFile, cpuProfileOf } from "./cpuProfile";
import { diagReportOf, variableOf } from "./diagReport";
import { type GcTraceFile, gcTraceOf, linesOf } from "./gcTrace";
import { heapProfileOf } from "./heapProfile";

const rowOf = (profile: Profile, name: string) => costsBy(profile, "function").find((row) => row.name === name);

describe("profiles of a real process", () => {
  let folder: string;
  let cpu: CpuProfileFile;
  let heap: Parameters<typeof heapProfileOf>[0];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "profiles-"));
    const made = (kind: MadeKind) => {
      writeFileSync(join(folder, "app.js"), MADE_BY_NODE[kind]);
      execFileSync(process.execPath, [join(folder, "app.js"), join(folder, kind)]);
      return JSON.parse(readFileSync(join(folder, kind), "utf8"));
    };
    cpu = made("cpuprofile");
    heap = made("heapprofile");
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("have the CPU's time by function, with its file and line", () => {
    const { busy, whole, duration_ms, idle_share, requests } = cpuProfileOf(cpu);
    const price = rowOf(busy, "price");
    expect(price?.file).toBe(join(folder, "app.js"));
    expect(price?.line).toBe(6);
    expect(price?.total).toBeGreaterThan(100e6);
    expect(duration_ms).toBeGreaterThan(300);
    expect(idle_share).toBeGreaterThan(0.1);
    expect(busy.weight).toBeCloseTo(whole.weight * (1 - idle_share), -3);
    expect(rowOf(busy, "(idle)")).toBeUndefined();
    expect(rowOf(whole, "(idle)")?.self).toBeGreaterThan(100e6);
    expect(requests).toEqual([]);
  });

  it("have no more time than went by", () => {
    const { whole, duration_ms } = cpuProfileOf(cpu);
    expect(whole.weight / 1e6).toBeLessThanOrEqual(duration_ms + 0.001);
    expect(whole.weight / 1e6).toBeGreaterThan(duration_ms * 0.5);
  });

  it("have what is kept by who allocated it", () => {
    const profile = heapProfileOf(heap);
    expect(profile.unit).toBe("bytes");
    expect(rowOf(profile, "keep")?.total).toBeGreaterThan(1e6);
    expect(rowOf(profile, "keep")?.file).toBe(join(folder, "app.js"));
    expect(profile.weight).toBeGreaterThanOrEqual(rowOf(profile, "keep")?.total as number);
  });
});

const frame = (functionName: string, url = "/srv/app.js", lineNumber = 3) => ({
  functionName,
  scriptId: 81,
  url,
  lineNumber,
});

/** As xprofiler 3.1.0 writes it: numbers for scripts, lines from 1 on. */
const XPROFILERS: CpuProfileFile = {
  startTime: 1000,
  endTime: 1100,
  nodes: [
    { id: 1, callFrame: frame("(root)", "", 0), children: [2, 4] },
    { id: 2, callFrame: frame("serve"), children: [3] },
    { id: 3, callFrame: frame("", "node:events", 7) },
    { id: 4, callFrame: frame("(idle)", "", 0) },
  ],
  samples: [2, 3, 4],
  timeDeltas: [10, 20, 30],
  httpDetail: ["120,/orders?id=1,2,GET,1,200,65", "130,/slow,POST,0,504,30000"],
};

describe("a CPU profile", () => {
  it("of xprofiler has lines from 1 on, and each look counts until the next", () => {
    const { busy, whole, idle_share } = cpuProfileOf(XPROFILERS);
    expect(rowOf(busy, "serve")).toMatchObject({ line: 3, self: 20_000, total: 50_000, samples: 1 });
    expect(rowOf(busy, "(anonymous, line 7)")).toMatchObject({ file: "node:events", self: 30_000 });
    expect(rowOf(whole, "(idle)")?.self).toBe(40_000);
    expect(idle_share).toBeCloseTo(40 / 90);
  });

  it("has the requests that were served meanwhile, whatever their URL", () => {
    expect(cpuProfileOf(XPROFILERS).requests).toEqual([
      { key: 0, offset_ms: 120, url: "/orders?id=1,2", method: "GET", sent: true, status: 200, duration_ms: 65 },
      { key: 1, offset_ms: 130, url: "/slow", method: "POST", sent: false, status: 504, duration_ms: 30_000 },
    ]);
  });

  it("without single looks is divided by how often each node was met", () => {
    const nodes = XPROFILERS.nodes.map((node) => ({ ...node, hitCount: node.id === 2 ? 3 : node.id === 3 ? 1 : 0 }));
    const { busy } = cpuProfileOf({ nodes, startTime: 0, endTime: 100 });
    expect(rowOf(busy, "serve")).toMatchObject({ self: 75_000, samples: 3 });
  });

  it("that is no tree is refused", () => {
    const [root, ...others] = XPROFILERS.nodes as [CpuProfileFile["nodes"][number], ...CpuProfileFile["nodes"]];
    for (const nodes of [
      [],
      [{ ...root, children: [9] }],
      [{ ...root, children: [2, 2] }, ...others],
      [{ ...root, children: [2, 4, 3] }, ...others],
      others.map((node) => ({ ...node, children: [node.id] })),
    ]) {
      expect(() => cpuProfileOf({ ...XPROFILERS, nodes })).toThrow(BadProfile);
    }
    expect(() => cpuProfileOf({ ...XPROFILERS, samples: [7] })).toThrow(BadProfile);
    expect(() => cpuProfileOf({ ...XPROFILERS, httpDetail: ["1,2"] })).toThrow(BadProfile);
  });
});

const spaces = (young: number, old: number) => [
  { name: "new_space", space_size: 9000, space_used_size: young },
  { name: "old_space", space_size: 9000, space_used_size: old },
  { name: "read_only_space", space_size: 0, space_used_size: 0 },
];
const TRACE: GcTraceFile = {
  startTime: 100,
  stopTime: 104,
  gc: [
    { type: "scavenge", start: 649.5, end: 652.5, before: spaces(700, 100), after: spaces(50, 150) },
    { type: "marksweep", start: 2000, end: 2040, before: spaces(300, 150), after: spaces(300, 20) },
    { type: "scavenge", start: 3000, end: 3001, before: spaces(700, 20), after: spaces(10, 20) },
  ],
};

describe("a trace of collections", () => {
  it("is summed up by type, the costliest first", () => {
    const trace = gcTraceOf(TRACE);
    expect(trace.types).toEqual([
      { type: "marksweep", count: 1, pause_ms: 40, longest_ms: 40, freed_bytes: 130 },
      { type: "scavenge", count: 2, pause_ms: 4, longest_ms: 3, freed_bytes: 600 + 690 },
    ]);
    expect([trace.duration_ms, trace.pause_ms, trace.longest_ms]).toEqual([4000, 44, 40]);
    expect(trace.spaces).toEqual(["new_space", "old_space"]);
  });

  it("is drawn over the time of its day, what was used as each began and ended", () => {
    const { times, pauses, usedTimes, used } = linesOf(gcTraceOf(TRACE), 1_000_000);
    expect(times).toEqual([1000.6495, 1002, 1003]);
    expect(pauses).toEqual([
      { type: "marksweep", values: [null, 40, null] },
      { type: "scavenge", values: [3, null, 1] },
    ]);
    expect(usedTimes).toHaveLength(6);
    expect(used[0]).toEqual({ space: "new_space", values: [700, 50, 300, 300, 700, 10] });
  });

  it("of which nothing happened is as long as it was", () => {
    expect(gcTraceOf({ startTime: 5, stopTime: 6, gc: [] })).toMatchObject({
      duration_ms: 1000,
      types: [],
      longest_ms: 0,
    });
    expect(() => gcTraceOf({} as GcTraceFile)).toThrow(BadProfile);
  });
});

describe("a diagnostic report", () => {
  it("tells which values of the environment the server has hidden", () => {
    expect(variableOf("API_TOKEN=••••••")).toEqual({ name: "API_TOKEN", value: "••••••", masked: true });
    expect(variableOf("DB=postgres://shop:••••••@db/shop")).toMatchObject({ name: "DB", masked: true });
    expect(variableOf("A=b=c")).toEqual({ name: "A", value: "b=c", masked: false });
    expect(variableOf("EMPTY")).toEqual({ name: "EMPTY", value: "", masked: false });
  });

  it("is read though parts are missing, and refused when it is none", () => {
    const report = diagReportOf({ pid: 7, system: { env: ["B=2", "A=1"] } as never });
    expect(report.environment.map(({ name }) => name)).toEqual(["A", "B"]);
    expect(report.jsStacks).toEqual([]);
    expect(() => diagReportOf({})).toThrow(BadProfile);
  });
});
