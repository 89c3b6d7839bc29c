/** The nodes of a map in columns, so that calls run to the right, and in an order that makes few of them cross. */

/** A call by the ids of its ends. */
export interface Call {
  source: string;
  target: string;
}

const SWEEPS = 8;
/** A column of a large map is no taller than it is wide: this times the root of the number of nodes. */
const TALLEST = 1.6;
const LEAST_TALLEST = 10;

/** Ids by column, each from top to bottom. */
export function columnsOf(ids: readonly string[], calls: readonly Call[]): string[][] {
  const names = [...ids].sort();
  const below = calleesOf(names, calls);
  const layer = layersOf(names, below);
  const layers: string[][] = [];
  for (const id of names) {
    const at = layer.get(id) as number;
    while (layers.length <= at) layers.push([]);
    (layers[at] as string[]).push(id);
  }
  order(layers, below);
  const tallest = Math.max(LEAST_TALLEST, Math.ceil(TALLEST * Math.sqrt(ids.length)));
  return layers.flatMap((one) => split(one, Math.ceil(one.length / tallest))).filter((column) => column.length > 0);
}

/** In turns: neighbours of the order stay beside each other. */
const split = (ids: readonly string[], parts: number): string[][] =>
  Array.from({ length: parts }, (_, part) => ids.filter((__, index) => index % parts === part));

/** Whom each node calls, by name; without calls to itself, and without those that close a circle. */
function calleesOf(names: readonly string[], calls: readonly Call[]): Map<string, string[]> {
  const below = new Map<string, Set<string>>(names.map((id) => [id, new Set()]));
  const called = new Set<string>();
  for (const { source, target } of calls) {
    if (source === target || !below.has(target)) continue;
    below.get(source)?.add(target);
    if (below.has(source)) called.add(target);
  }
  const sorted = new Map(names.map((id) => [id, [...(below.get(id) as Set<string>)].sort()]));
  const state = new Map<string, "open" | "done">();
  const first = [...names.filter((id) => !called.has(id)), ...names];
  for (const root of first) {
    if (state.has(root)) continue;
    const path: { id: string; next: number }[] = [{ id: root, next: 0 }];
    state.set(root, "open");
    while (path.length > 0) {
      const top = path.at(-1) as { id: string; next: number };
      const to = sorted.get(top.id) as string[];
      const callee = to[top.next];
      if (callee === undefined) {
        state.set(top.id, "done");
        path.pop();
      } else if (state.get(callee) === "open") to.splice(top.next, 1);
      else {
        top.next++;
        if (!state.has(callee)) {
          state.set(callee, "open");
          path.push({ id: callee, next: 0 });
        }
      }
    }
  }
  return sorted;
}

/** The longest way to a node from any that nobody calls; those stand just left of the first that they call. */
function layersOf(names: readonly string[], below: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const waiting = new Map(names.map((id) => [id, 0]));
  for (const to of below.values()) for (const id of to) waiting.set(id, (waiting.get(id) as number) + 1);
  const roots = names.filter((id) => waiting.get(id) === 0);
  const layer = new Map(names.map((id) => [id, 0]));
  const ready = [...roots];
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    for (const to of below.get(id) as readonly string[]) {
      layer.set(to, Math.max(layer.get(to) as number, (layer.get(id) as number) + 1));
      const left = (waiting.get(to) as number) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  for (const id of roots) {
    const callees = below.get(id) as readonly string[];
    if (callees.length > 0) layer.set(id, Math.min(...callees.map((to) => layer.get(to) as number)) - 1);
  }
  return layer;
}

/** Each node towards the middle of those it calls and is called by, to the right and back again. */
function order(layers: string[][], below: ReadonlyMap<string, readonly string[]>): void {
  const above = new Map<string, string[]>([...below.keys()].map((id) => [id, []]));
  for (const [id, to] of below) for (const callee of to) above.get(callee)?.push(id);
  const place = new Map<string, number>();
  const note = (layer: readonly string[]) =>
    layer.forEach((id, index) => {
      place.set(id, (index + 0.5) / layer.length);
    });
  layers.forEach(note);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const near = sweep % 2 ? below : above;
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const middle = new Map(
        layer.map((id) => {
          const others = near.get(id) as readonly string[];
          const sum = others.reduce((total, other) => total + (place.get(other) as number), 0);
          return [id, others.length ? sum / others.length : (place.get(id) as number)];
        }),
      );
      layer.sort((a, b) => (middle.get(a) as number) - (middle.get(b) as number) || (a < b ? -1 : 1));
      note(layer);
    }
  }
}
