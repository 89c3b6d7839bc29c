import { describe, expect, it } from "vitest";

import { mix } from "../../theme/palette";

import { draw, nodeUnder, ROW_PX } from "./drawFlames";
import { changePlace, colourPlaces } from "./flameColours";
import { moved } from "./flameMoves";
import {
  comparedTreeOf,
  type FlameTree,
  flameTreeOf,
  invertedTreeOf,
  matchedShare,
  nodeAt,
  pathOf,
  wayTo,
} from "./flameTree";
import { type FrameRow, framesOf, matching } from "./frames";
import { comparedCosts, costsBy, neighboursOf } from "./functions";
import { BadProfile, type ProfileFile, profileOf } from "./profile";

const FRAMES: FrameRow[] = [
  ["main", "/app/shop.py", 1],
  ["price", "/app/shop.py", 12],
  ["dumps", "/usr/lib/python3.11/json/__init__.py", 183],
  ["sleep", "", 0],
];

/** main calls price on two lines, price calls itself and dumps. */
const file = (samples: ProfileFile["samples"], more: Partial<ProfileFile> = {}): ProfileFile => ({
  format: "sonde.profile.v1",
  tool: "cpu",
  unit: "nanoseconds",
  frames: FRAMES,
  nodes: [
    [-1, 0, 3],
    [0, 1, 13],
    [0, 1, 14],
    [1, 1, 13],
    [3, 2, 190],
    [0, 3, 0],
  ],
  samples,
  ...more,
});

const SAMPLES: ProfileFile["samples"] = [
  [1, 10, 1],
  [2, 30, 3],
  [3, 5, 1],
  [4, 15, 2],
  [5, 40, 4],
];

const names = (tree: FlameTree, nodes: Iterable<number>) =>
  [...nodes].map((node) => (node === 0 ? "*" : (tree.frames.name[tree.frame[node] as number] as string)));

const everyNode = (tree: FlameTree) => names(tree, tree.frame.keys());

describe("a profile", () => {
  it("knows what each node took with all below it", () => {
    const profile = profileOf(file(SAMPLES));
    expect([...profile.total]).toEqual([100, 30, 30, 20, 15, 40]);
    expect(profile.weight).toBe(100);
  });

  it("adds up several samples of one node", () => {
    const twice: ProfileFile["samples"] = [
      [1, 10, 1],
      [1, 4, 2],
    ];
    const profile = profileOf(file(twice));
    expect([profile.self[1], profile.samples[1]]).toEqual([14, 3]);
  });

  it("is refused when its tree is none", () => {
    expect(() => profileOf(file([], { nodes: [[0, 0, 1]] }))).toThrow(BadProfile);
    expect(() => profileOf(file([], { nodes: [[-1, 9, 1]] }))).toThrow(/frame 9/);
    expect(() => profileOf(file([[17, 1, 1]]))).toThrow(/node 17/);
  });
});

describe("a flame graph's tree", () => {
  const tree = flameTreeOf(profileOf(file(SAMPLES)));

  it("has one node for each caller and function, the heaviest child first", () => {
    expect(everyNode(tree)).toEqual(["*", "main", "price", "price", "dumps", "sleep"]);
    expect([...tree.total]).toEqual([100, 100, 60, 20, 15, 40]);
    expect([...tree.start]).toEqual([0, 0, 0, 0, 0, 60]);
    expect([...tree.end]).toEqual([6, 6, 5, 5, 5, 6]);
    expect([...tree.depth]).toEqual([0, 1, 2, 3, 4, 2]);
    expect(tree.deepest).toBe(4);
  });

  it("names the line that weighed most", () => {
    expect(tree.line[2]).toBe(13);
    expect(flameTreeOf(profileOf(file([[2, 9, 1]]))).line[2]).toBe(14);
  });

  it("finds a zoomed node again in another run, by its way", () => {
    const path = pathOf(tree, 4);
    const other = flameTreeOf(
      profileOf(
        file([
          [4, 1, 1],
          [2, 99, 9],
        ]),
      ),
    );
    expect(names(other, wayTo(other, nodeAt(other, path)))).toEqual(["main", "price", "price", "dumps"]);
    expect(nodeAt(tree, "nothing")).toBe(0);
    expect(nodeAt(tree, undefined)).toBe(0);
    expect(pathOf(tree, 0)).toBeUndefined();
  });

  it("counts the share that matches once, however deep", () => {
    expect(matchedShare(tree, matching(tree.frames, "PRICE") as Uint8Array)).toBeCloseTo(0.6);
    expect(matchedShare(tree, matching(tree.frames, "shop.py main") as Uint8Array)).toBe(1);
    expect(matching(tree.frames, " ")).toBeNull();
  });

  it("is walked by keys", () => {
    expect(moved(tree, 1, "in")).toBe(2);
    expect(moved(tree, 4, "in")).toBe(4);
    expect(moved(tree, 2, "after")).toBe(5);
    expect(moved(tree, 5, "after")).toBe(5);
    expect(moved(tree, 5, "before")).toBe(2);
    expect(moved(tree, 2, "before")).toBe(2);
    expect(moved(tree, 4, "out")).toBe(3);
    expect(moved(tree, 0, "out")).toBe(0);
  });

  it("is made of an empty profile, too", () => {
    const empty = flameTreeOf(profileOf(file([], { nodes: [], frames: [] })));
    expect([...empty.total]).toEqual([0]);
    expect([...empty.end]).toEqual([1]);
  });
});

describe("an inverted tree", () => {
  const tree = flameTreeOf(profileOf(file(SAMPLES)));
  const inverted = invertedTreeOf(tree);

  it("begins with what did the work, and loses nothing", () => {
    const top = [...inverted.depth.keys()].filter((node) => inverted.depth[node] === 1);
    expect(names(inverted, top)).toEqual(["price", "sleep", "dumps"]);
    expect(top.map((node) => inverted.total[node])).toEqual([45, 40, 15]);
    expect(inverted.total[0]).toBe(100);
  });

  it("has the callers below each function", () => {
    const dumps = inverted.frame.indexOf(2);
    const way = [dumps, dumps + 1, dumps + 2, dumps + 3];
    expect(names(inverted, way)).toEqual(["dumps", "price", "price", "main"]);
    expect(way.map((node) => inverted.total[node])).toEqual([15, 15, 15, 15]);
  });

  it("opens the heaviest first where there would be too many nodes", () => {
    const cut = invertedTreeOf(tree, 4);
    expect(cut.frame.length).toBe(5);
    expect(everyNode(cut)).toContain("price");
    expect(cut.total[0]).toBe(100);
  });
});

describe("a comparison", () => {
  const before = profileOf(
    file([
      [4, 50, 5],
      [5, 50, 5],
    ]),
  );
  const now = profileOf(
    file(
      [
        [4, 30, 3],
        [2, 10, 1],
      ],
      { frames: [...FRAMES.slice(0, 3), ["idle", "", 0]] },
    ),
  );
  const tree = comparedTreeOf(before, now);

  it("has what is in either, as wide as the mean of both shares", () => {
    const seen = everyNode(tree).filter((_, node) => (tree.total[node] as number) > 0);
    expect(seen.sort()).toEqual(["*", "dumps", "main", "price", "price", "sleep"].sort());
    expect(tree.total[0]).toBeCloseTo(1);
    const sleep = everyNode(tree).indexOf("sleep");
    expect(tree.total[sleep]).toBeCloseTo(0.25);
    expect([tree.compared?.before[sleep], tree.compared?.now[sleep]]).toEqual([50, 0]);
  });

  it("can be inverted", () => {
    const inverted = invertedTreeOf(tree);
    const dumps = everyNode(inverted).indexOf("dumps");
    expect([inverted.compared?.before[dumps], inverted.compared?.now[dumps]]).toEqual([50, 30]);
  });

  it("knows a function again whose lines have moved", () => {
    const later = profileOf(file(SAMPLES, { frames: FRAMES.map(([name, path, line]) => [name, path, line + 7]) }));
    expect(comparedTreeOf(profileOf(file(SAMPLES)), later).frame.length).toBe(6);
  });

  it("is blue for less, red for more", () => {
    expect([changePlace(1, 0), changePlace(0.5, 0.5), changePlace(0, 1), changePlace(0, 0)]).toEqual([0, 6, 12, 6]);
  });
});

describe("costs", () => {
  const profile = profileOf(file(SAMPLES));
  const by = (group: Parameters<typeof costsBy>[1]) =>
    Object.fromEntries(costsBy(profile, group).map(({ key, self, total }) => [key.trim(), [self, total]]));

  it("by function count recursion once", () => {
    expect(by("function")).toEqual({
      "main\n/app/shop.py": [0, 100],
      "price\n/app/shop.py": [45, 60],
      "dumps\n/usr/lib/python3.11/json/__init__.py": [15, 15],
      sleep: [40, 40],
    });
  });

  it("by file and by line", () => {
    expect(by("file")["/app/shop.py"]).toEqual([45, 100]);
    expect(by("line")["/app/shop.py:13"]).toEqual([15, 30]);
    expect(by("line")["/app/shop.py:14"]).toEqual([30, 30]);
  });

  it("of two profiles stand side by side, also where one has nothing", () => {
    const rows = comparedCosts(costsBy(profileOf(file([[5, 7, 1]])), "function"), costsBy(profile, "function"));
    const row = (name: string) => rows.find((one) => one.name === name);
    expect([row("sleep")?.self, row("sleep")?.before.self]).toEqual([40, 7]);
    expect([row("price")?.self, row("price")?.before.self]).toEqual([45, 0]);
  });

  it("around a function: who called it, whom it called, recursion once", () => {
    const around = neighboursOf(profile, "price\n/app/shop.py");
    expect(around.callers.map(({ name, weight }) => [name, weight])).toEqual([["main", 60]]);
    expect(around.callees.map(({ name, weight }) => [name, weight])).toEqual([["dumps", 15]]);
    expect([around.self, around.total]).toEqual([45, 60]);
  });
});

describe("whose code a frame is", () => {
  it("is told by its file", () => {
    const { module, kind } = framesOf([
      ["f", "/srv/shop/orders.py", 1],
      ["g", "/srv/venv/lib/python3.12/site-packages/flask/app.py", 1],
      ["h", "/usr/lib/python3.13/asyncio/events.py", 1],
      ["_find", "<frozen importlib._bootstrap>", 1],
      ["time.sleep", "", 0],
      ["call", "/usr/lib/libssl.so.3", 0],
      ["six", "/venv/lib/python3.11/site-packages/six.py", 1],
    ]);
    expect(module).toEqual(["shop.orders", "flask", "asyncio", "importlib", "time", "libssl.so.3", "six"]);
    expect(kind).toEqual(["app", "library", "standard", "standard", "native", "native", "library"]);
  });

  it("is told by its file in Node, too", () => {
    const { module, kind } = framesOf([
      ["price", "/srv/shop/orders.js", 6],
      ["price", "file:///srv/shop/prices.mts", 6],
      ["listOnTimeout", "node:internal/timers", 524],
      ["next", "/srv/shop/node_modules/express/node_modules/@a/router/lib/index.js", 1],
      ["(garbage collector)", "", 0],
    ]);
    expect(module.slice(0, 4)).toEqual(["shop.orders", "shop.prices", "node:internal/timers", "@a/router"]);
    expect(kind).toEqual(["app", "app", "standard", "library", "native"]);
  });

  it("gives the same colour to the same module wherever it stands", () => {
    const [one] = colourPlaces(framesOf([["a", "/srv/shop/orders.py", 1]]), 10);
    const [, two] = colourPlaces(
      framesOf([
        ["z", "", 0],
        ["b", "/srv/shop/orders.py", 99],
      ]),
      10,
    );
    expect(one).toBe(two);
    expect(mix("#ffffff", "#000000", 0.5)).toBe("#808080");
  });
});

describe("the drawing", () => {
  const tree = flameTreeOf(profileOf(file(SAMPLES)));
  const whole = { from: 0, to: 100 };

  it("finds the node under the pointer", () => {
    const at = (x: number, row: number) =>
      nodeUnder({ tree, window: whole, width: 1000, scrollTop: 0 }, x, row * ROW_PX + 2);
    expect([at(10, 0), at(10, 1), at(10, 2), at(10, 3), at(700, 2), at(700, 3), at(10, 9)]).toEqual([
      0, 1, 2, 3, 5, -1, -1,
    ]);
  });

  it("draws what can be seen and skips the rest", () => {
    const boxes = (width: number, height: number) => draw(recorder(), { ...scene, width, height });
    const scene = {
      tree,
      window: whole,
      scrollTop: 0,
      colourOf: () => 0,
      colours: ["#123456"],
      matches: null,
      zoomed: 0,
      rootLabel: "all",
      palette: { surface: "#000000", grid: "#111111", match: "#222222", text: "#ffffff" } as never,
    };
    expect(boxes(1000, 400)).toBe(6);
    expect(boxes(1000, ROW_PX)).toBe(2);
    expect(boxes(1, 400)).toBeLessThan(6);
  });
});

function recorder(): CanvasRenderingContext2D {
  return { fillRect: () => {}, fillText: () => {}, measureText: () => ({ width: 7 }) } as never;
}
