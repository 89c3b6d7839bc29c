/** Canned profiles of any size: the same seed gives the same tree. */

import type { CallsFile } from "../src/parts/profile/calls";
import type { ProfileFile } from "../src/parts/profile/profile";
import { randomFrom } from "./random.ts";

export const HUGE_NODES = 100_000;

const MODULES: [file: string, names: string[]][] = [
  ["/srv/shop/orders/views.py", ["create_order", "OrderView.post", "OrderView.get", "list_orders"]],
  ["/srv/shop/orders/pricing.py", ["price", "discount", "Basket.total", "Basket._with_tax"]],
  ["/srv/shop/stock.py", ["reserve", "release", "Warehouse.find"]],
  ["/srv/shop/.venv/lib/python3.12/site-packages/flask/app.py", ["Flask.wsgi_app", "Flask.full_dispatch_request"]],
  ["/srv/shop/.venv/lib/python3.12/site-packages/sqlalchemy/engine/default.py", ["do_execute", "_init_compiled"]],
  ["/srv/shop/.venv/lib/python3.12/site-packages/jinja2/environment.py", ["Template.render", "root_render_func"]],
  ["/usr/lib/python3.12/json/encoder.py", ["JSONEncoder.encode", "_iterencode_dict"]],
  ["/usr/lib/python3.12/threading.py", ["Thread._bootstrap", "Thread.run", "Condition.wait"]],
  ["", ["builtins.sorted", "re.Pattern.match", "_sqlite3.Cursor.execute"]],
];

export function cannedProfile(seed: number, size: number): ProfileFile {
  const random = randomFrom(seed);
  const copies = Math.max(1, Math.ceil(size / 400));
  const frames: ProfileFile["frames"] = [];
  for (let copy = 0; copy < Math.min(copies, 60); copy++) {
    for (const [file, names] of MODULES) {
      names.forEach((name, index) => {
        const moved = copy === 0 ? file : file.replace(/\.py$/, `_${copy}.py`);
        frames.push([copy === 0 ? name : `${name}_${copy}`, moved, file ? 12 + index * 31 : 0]);
      });
    }
  }
  const nodes: ProfileFile["nodes"] = [];
  const samples: ProfileFile["samples"] = [];
  const depth: number[] = [];
  for (let index = 0; index < size; index++) {
    // near the newest, so that stacks get deep
    const parent = index < 3 ? -1 : Math.max(0, index - 1 - Math.floor(random() ** 3 * Math.min(index, 300)));
    const above = parent < 0 ? 0 : (depth[parent] as number);
    const under = above > 60 ? index % 3 : parent;
    depth[index] = under < 0 ? 1 : (depth[under] as number) + 1;
    const frame = Math.floor(random() ** 1.5 * frames.length);
    nodes.push([under, frame, (frames[frame]?.[2] ?? 0) + Math.floor(random() * 20)]);
    const count = random() < 0.55 ? 1 + Math.floor(random() ** 6 * 40) : 0;
    if (count) samples.push([index, count * 10_000_000, count]);
  }
  return {
    format: "sonde.profile.v1",
    tool: "cpu",
    unit: "nanoseconds",
    frames,
    nodes,
    samples,
    period_ns: 10_000_000,
    duration_ns: 10_000_000_000,
  };
}

export function cannedCalls(seed: number): CallsFile {
  const { frames, nodes, samples } = cannedProfile(seed, 400);
  const times = new Map<string, CallsFile["edges"][number]>();
  const own = new Map(samples.map(([node, weight]) => [node, weight]));
  nodes.forEach(([parent, frame], node) => {
    const caller = parent < 0 ? -1 : (nodes[parent]?.[1] ?? -1);
    const edge = times.get(`${caller} ${frame}`) ?? [caller, frame, 0, 0, 0];
    const self = own.get(node) ?? 0;
    times.set(`${caller} ${frame}`, [caller, frame, edge[2] + 1 + (node % 900), edge[3] + self * 3, edge[4] + self]);
  });
  return { format: "sonde.calls.v1", duration_ns: 1e10, functions: frames, edges: [...times.values()] };
}
