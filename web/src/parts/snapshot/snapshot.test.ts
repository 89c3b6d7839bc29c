import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { MADE_BY_NODE } from "../../../dev/nodejsFiles";
import { randomFrom } from "../../../dev/random";
import { constructorsOf } from "./constructors";
import { dominanceOf } from "./dominators";
import { Heap } from "./Heap";
import { edgeText, type HeapGraph, holdingEdges, nodeCount, of, ROOT, retainersOf } from "./heapGraph";
import { BadSnapshot, SnapshotReader } from "./reader";

type Edge = [from: number, to: number, type?: string, name?: string];

/** A snapshot as V8 writes it, of these objects. */
function snapshotText(sizes: readonly number[], edges: readonly Edge[], names: readonly string[] = []): string {
  const strings = ["", ...names];
  const indexOf = (text: string) => {
    if (!strings.includes(text)) strings.push(text);
    return strings.indexOf(text);
  };
  const edgeTypes = ["context", "element", "property", "internal", "hidden", "shortcut", "weak"];
  const sorted = sizes.flatMap((_, node) => edges.filter(([from]) => from === node));
  const nodes = sizes.flatMap((size, node) => [
    node === 0 ? 9 : 3,
    indexOf(names[node] ?? `C${node % 3}`),
    node * 2 + 1,
    size,
    edges.filter(([from]) => from === node).length,
    0,
    0,
  ]);
  const flat = sorted.flatMap(([, to, type = "property", name = "x"]) => [
    edgeTypes.indexOf(type),
    type === "element" ? 3 : indexOf(name),
    to * 7,
  ]);
  return JSON.stringify({
    snapshot: {
      meta: {
        node_fields: ["type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness"],
        node_types: [
          [
            ...["hidden", "array", "string", "object", "code", "closure", "regexp", "number", "native", "synthetic"],
            ...["concatenated string", "sliced string", "symbol", "bigint", "object shape"],
          ],
          "string",
          ...["number", "number", "number", "number", "number"],
        ],
        edge_fields: ["type", "name_or_index", "to_node"],
        edge_types: [edgeTypes, "string_or_number", "node"],
      },
      node_count: sizes.length,
      edge_count: edges.length,
      trace_function_count: 0,
    },
    nodes,
    edges: flat,
    trace_function_infos: [],
    trace_tree: [],
    samples: [],
    locations: [1, 2, 3, 4],
    strings,
  });
}

function read(text: string | Uint8Array, chunkBytes = 1 << 16): HeapGraph {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const reader = new SnapshotReader();
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  return reader.finish();
}

function judged(graph: HeapGraph) {
  const holds = holdingEdges(graph);
  const dominance = dominanceOf(graph, holds, retainersOf(graph, holds));
  return { holds, ...dominance, ...constructorsOf(graph, dominance) };
}

/** What can be reached from the root without passing `without`. */
function reachable(graph: HeapGraph, holds: Uint8Array, without: (node: number) => boolean): Set<number> {
  const found = new Set<number>();
  const todo = without(ROOT) ? [] : [ROOT];
  while (todo.length > 0) {
    const node = todo.pop() as number;
    if (found.has(node)) continue;
    found.add(node);
    for (let edge = of(graph.firstEdge, node); edge < of(graph.firstEdge, node + 1); edge++) {
      if (holds[edge] && !without(of(graph.edgeTo, edge))) todo.push(of(graph.edgeTo, edge));
    }
  }
  return found;
}

const sizeOf = (graph: HeapGraph, nodes: Iterable<number>) =>
  [...nodes].reduce((sum, node) => sum + of(graph.selfSize, node), 0);

function randomHeap(seed: number): string {
  const random = randomFrom(seed);
  const size = 2 + Math.floor(random() * 14);
  const sizes = Array.from({ length: size }, (_, node) => (node === 0 ? 0 : 1 + Math.floor(random() * 50)));
  const types = ["property", "property", "element", "weak", "internal", "shortcut"];
  const edges = Array.from({ length: Math.floor(random() * size * 3) }, (): Edge => {
    const any = () => Math.floor(random() * size);
    return [any(), any(), types[any() % types.length]];
  });
  return snapshotText(sizes, edges);
}

describe("what an object retains", () => {
  it("is what cannot be reached without it, in 2,000 small heaps", () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const graph = read(randomHeap(seed));
      const { holds, retained } = judged(graph);
      const all = reachable(graph, holds, () => false);
      for (let node = 1; node < nodeCount(graph); node++) {
        const left = reachable(graph, holds, (one) => one === node);
        const gone = all.has(node) ? [...all].filter((one) => !left.has(one)) : [node];
        expect({ seed, node, bytes: of(retained, node) }).toEqual({ seed, node, bytes: sizeOf(graph, gone) });
      }
      expect(of(retained, ROOT)).toBe(
        sizeOf(
          graph,
          Array.from({ length: nodeCount(graph) }, (_, node) => node),
        ),
      );
    }
  });

  it("is added up by constructor, what one keeps alive for its like once", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const graph = read(randomHeap(seed));
      const { dominator, retained, classOf, rows } = judged(graph);
      const expected = rows.map(() => 0);
      for (let node = 0; node < nodeCount(graph); node++) {
        let above = node;
        let isInner = false;
        while (above !== ROOT) {
          above = of(dominator, above);
          if (classOf[above] === classOf[node]) isInner = true;
        }
        const place = of(classOf, node);
        if (!isInner || node === ROOT) expected[place] = (expected[place] as number) + of(retained, node);
      }
      expect({ seed, retained: rows.map((row) => row.retained_bytes) }).toEqual({ seed, retained: expected });
    }
  });

  it("is found in a chain of 300,000 objects that point back to the first", () => {
    const size = 300_000;
    const graph: HeapGraph = {
      nodeType: new Uint8Array(size),
      nodeName: new Uint32Array(size),
      nodeId: Uint32Array.from({ length: size }, (_, node) => node),
      selfSize: new Float64Array(size).fill(1),
      firstEdge: Uint32Array.from({ length: size + 1 }, (_, node) => (node === size ? 2 * size - 1 : node * 2)),
      edgeType: new Uint8Array(2 * size - 1),
      edgeName: new Uint32Array(2 * size - 1),
      edgeTo: Uint32Array.from({ length: 2 * size - 1 }, (_, edge) => (edge % 2 === 0 ? (edge / 2 + 1) % size : 1)),
      nodeTypes: ["object"],
      edgeTypes: ["property"],
      strings: ["Link"],
    };
    const { retained } = judged(graph);
    expect([of(retained, 0), of(retained, 1), of(retained, size - 1)]).toEqual([size, size - 1, 1]);
  });

  it("counts a value in a WeakMap for its key, not for the map's table", () => {
    const pair = "7 / part of key (Key @3) -> value (Value @7) pair in WeakMap (table @5)";
    const edges: Edge[] = [
      [0, 1],
      [0, 2],
      [1, 3, "internal", pair],
      [2, 3, "internal", pair],
    ];
    const graph = read(snapshotText([0, 10, 20, 400], edges));
    const { retained } = judged(graph);
    expect([of(retained, 1), of(retained, 2)]).toEqual([410, 20]);
  });
});

describe("reading a snapshot", () => {
  const text = snapshotText(
    [0, 8, 16],
    [
      [0, 1, "property", 'wörld "quoted" \\ 日本'],
      [1, 2, "element"],
    ],
  );

  it("is the same however the bytes arrive", () => {
    const whole = read(text);
    expect(edgeText(whole, 0)).toBe('["wörld \\"quoted\\" \\\\ 日本"]');
    expect(edgeText(whole, 1)).toBe("[3]");
    for (const bytes of [1, 2, 3, 7, 64]) expect(read(text, bytes)).toEqual(whole);
  });

  it("takes white space and members that it does not know", () => {
    const spaced = JSON.stringify({ ...JSON.parse(text), later: { a: ["]", "}"] }, last: 7 }, null, 2);
    expect(read(spaced, 5)).toEqual(read(text));
  });

  it("refuses what was cut off, is something else, or contradicts itself", () => {
    const other = (change: (file: Record<string, never>) => unknown) => JSON.stringify(change(JSON.parse(text)));
    const broken = [
      "",
      "[]",
      "<html>",
      '{"nodes": []}',
      '{"snapshot": {}}',
      text.slice(0, -1),
      text.slice(0, text.length / 2),
      other(({ nodes, ...rest }) => ({ nodes, ...rest })),
      other((file) => ({ ...file, nodes: [1, 2] })),
      other((file) => ({ ...file, nodes: ["x"] })),
      other((file) => ({ ...file, edges: [2, 1, 7, 2, 1, 7, 2, 1, 7] })),
      other((file) => ({ ...file, edges: [2, 1, 7, 2, 1, 9999] })),
    ];
    for (const one of broken) expect(() => read(one), one.slice(0, 60)).toThrow(BadSnapshot);
  });

  it("ends in a heap or in a refusal, whatever bytes are damaged", () => {
    const random = randomFrom(7);
    for (let turn = 0; turn < 3000; turn++) {
      const bytes = new TextEncoder().encode(text);
      for (let hit = 0; hit < 3; hit++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        judged(read(bytes, 50));
      } catch (error) {
        expect(error).toBeInstanceOf(BadSnapshot);
      }
    }
  });
});

describe("a snapshot of a real process", () => {
  let folder: string;
  let heap: Heap;
  let plain: { snapshot: { node_count: number }; nodes: number[] };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "snapshot-"));
    const path = join(folder, "own.heapsnapshot");
    writeFileSync(join(folder, "app.js"), MADE_BY_NODE.heapsnapshot);
    execFileSync(process.execPath, [join(folder, "app.js"), path]);
    const bytes = readFileSync(path);
    plain = JSON.parse(bytes.toString());
    heap = new Heap(read(bytes));
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const row = (name: string) => heap.constructors.find((one) => one.name === name);

  it("has all its objects and bytes", () => {
    expect(heap.objects).toBe(plain.snapshot.node_count);
    expect(heap.bytes).toBe(plain.nodes.reduce((sum, value, index) => (index % 7 === 3 ? sum + value : sum), 0));
  });

  it("has a class's objects, each with its text", () => {
    const orders = row("Order");
    expect(orders?.objects).toBe(500);
    expect(orders?.retained_bytes).toBeGreaterThan(500 * 1000);
    expect(orders?.retained_bytes).toBeLessThan(heap.bytes / 2);
    const listed = heap.objectsOf("Order", 10);
    expect(listed).toHaveLength(10);
    expect(listed[0]?.retained_bytes).toBeGreaterThan(1000);
  });

  it("tells who holds an object, from the global object on", () => {
    const order = heap.objectsOf("Order", 1)[0];
    const found = heap.object(order?.id as number);
    expect(found?.way.map(({ by }) => by).join("")).toMatch(/\.shelf\.kept(elements)?\[\d+\]$/);
    expect(found?.holders.length).toBeGreaterThan(0);
    expect(found?.holds.map(({ by }) => by)).toContain(".text");
    const texts = found?.holds.find(({ by }) => by === ".text");
    expect(texts?.retained_bytes).toBeGreaterThan(1000);
  });

  it("finds objects by a part of their name", () => {
    expect(heap.found("order 499,", 5).map(({ name }) => name.slice(0, 9))).toContain("order 499");
    expect(heap.object(4_000_000_000)).toBeNull();
  });
});
