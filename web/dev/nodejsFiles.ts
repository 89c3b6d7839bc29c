/** Small programs that write what a process of their own did, in V8's formats, to the path they are given. */

export type MadeKind = "cpuprofile" | "heapprofile" | "heapsnapshot" | "diag";

const INSPECTED = `
const { Session } = require("node:inspector");
const { writeFileSync } = require("node:fs");
const kept = [];
function keep() { for (let n = 0; n < 400; n++) kept.push(Buffer.alloc(64).toString("hex").repeat(20).split("")); }
function price(until) { let sum = 0; while (Date.now() < until) for (let n = 0; n < 1e4; n++) sum += Math.sqrt(n); return sum; }
const session = new Session();
session.connect();
const post = (method, parameters) => new Promise((done, failed) =>
  session.post(method, parameters, (error, result) => (error ? failed(error) : done(result))));
const write = (made) => writeFileSync(process.argv[2], JSON.stringify(made));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
`;

export const MADE_BY_NODE: Record<MadeKind, string> = {
  cpuprofile: `${INSPECTED}
(async () => {
  await post("Profiler.enable");
  await post("Profiler.start");
  keep();
  price(Date.now() + 150);
  await pause(150);
  write((await post("Profiler.stop")).profile);
})();
`,
  heapprofile: `${INSPECTED}
(async () => {
  await post("HeapProfiler.enable");
  await post("HeapProfiler.startSampling", { samplingInterval: 1024 });
  keep();
  write((await post("HeapProfiler.stopSampling")).profile);
})();
`,
  heapsnapshot: `
class Order { constructor(n) { this.number = n; this.text = Buffer.alloc(1000, "order " + n + ", ").toString(); } }
const shelf = { kept: [] };
globalThis.shelf = shelf;
for (let n = 0; n < 500; n++) shelf.kept.push(new Order(n));
require("node:v8").writeHeapSnapshot(process.argv[2]);
`,
  diag: `
const v8 = require("node:v8");
const { arch, release } = require("node:os");
const now = new Date().toISOString().slice(0, 19).replace("T", " ");
const report = process.report.getReport();
const heap = v8.getHeapStatistics();
require("node:fs").writeFileSync(process.argv[2], JSON.stringify({
  pid: process.pid, thread_id: 0, location: "Active Dump", message: "Active Dump", nodeVersion: process.version,
  osVersion: "Linux / " + release() + " / " + arch(), loadTime: now, dumpTime: now, vmState: "EXTERNAL",
  jsStacks: report.javascriptStack.stack.map((line) => ({
    pcAddress: "0x0", functionName: line.replace(/^at | \\(.*$/g, ""), scriptName: line, lineNumber: 1, column: 1, frameType: "userjs" })),
  nativeStacks: report.nativeStack.map(({ pc, symbol }) => ({ pcAddress: pc, symbolName: symbol })),
  heapStatistics: { heapTotal: heap.total_heap_size, heapTotalUsed: heap.used_heap_size, heapLimit: heap.heap_size_limit },
  heapSpaceStatistics: v8.getHeapSpaceStatistics().map((one) => ({
    name: one.space_name, size: one.space_size, committed: one.physical_space_size, used: one.space_used_size, available: one.space_available_size })),
  libuvHandles: report.libuv.map(({ type, address, is_referenced, is_active }) => ({
    type, address, hasRef: Number(is_referenced ?? 0), isActive: Number(is_active), detail: "" })),
  system: { env: ["PATH=/usr/bin", "DATABASE_URL=postgres://shop:hunter2@db/shop", "API_TOKEN=hunter2"],
    resourceLimits: [{ type: "open files", softLimit: "20000", hardLimit: "unlimited" }], loadedLibraries: report.sharedObjects },
}));
`,
};
