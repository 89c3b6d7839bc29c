/** A heap with everything that is asked of it. Built in a worker: a large one takes seconds. */

import { type Constructors, constructorsOf } from "./constructors";
import { type Dominance, dominanceOf } from "./dominators";
import {
  edgeText,
  type HeapGraph,
  holdingEdges,
  nameOf,
  nodeCount,
  of,
  type Retainers,
  ROOT,
  retainersOf,
} from "./heapGraph";
import type { HeapObject, HeapObjectReport, Held, HeldObject } from "./messages";
import { type Ways, waysOf } from "./ways";

/** What is shown around one object: nobody reads more. */
const MOST_AROUND = 200;
const MOST_STEPS = 100;
const MOST_LETTERS = 300;

export class Heap {
  readonly objects: number;
  readonly bytes: number;
  private readonly holds: Uint8Array;
  private readonly retainers: Retainers;
  private readonly dominance: Dominance;
  private readonly table: Constructors;
  private readonly ways: Ways;

  /** `onStage` hears how much is done, 0…1. */
  constructor(
    private readonly graph: HeapGraph,
    onStage: (share: number) => void = () => undefined,
  ) {
    this.holds = holdingEdges(graph);
    onStage(0.15);
    this.retainers = retainersOf(graph, this.holds);
    onStage(0.35);
    this.dominance = dominanceOf(graph, this.holds, this.retainers);
    onStage(0.8);
    this.table = constructorsOf(graph, this.dominance);
    onStage(0.9);
    this.ways = waysOf(graph, this.holds);
    this.objects = nodeCount(graph);
    this.bytes = of(this.dominance.retained, ROOT);
    onStage(1);
  }

  get constructors() {
    return this.table.rows;
  }

  /** Objects of the constructor, those that retain most first. */
  objectsOf(wanted: string, most: number): HeapObject[] {
    const place = this.table.rows.find(({ name }) => name === wanted)?.place;
    return this.heaviest((node) => this.table.classOf[node] === place, most);
  }

  /** Objects whose name has these words in it, or whose id they are. */
  found(words: string, most: number): HeapObject[] {
    const wanted = words.toLowerCase();
    const id = Number(words.replace(/^@/, ""));
    const hits = Uint8Array.from(this.graph.strings, (text) => (text.toLowerCase().includes(wanted) ? 1 : 0));
    return this.heaviest(
      (node) => hits[of(this.graph.nodeName, node)] === 1 || of(this.graph.nodeId, node) === id,
      most,
    );
  }

  /** An object, who holds it and what it holds; null when there is none of this id. */
  object(id: number): HeapObjectReport | null {
    const node = this.graph.nodeId.indexOf(id);
    if (node < 0) return null;
    const holders: Held[] = [];
    for (let at = of(this.retainers.first, node); at < of(this.retainers.first, node + 1); at++) {
      holders.push({
        ...this.told(of(this.retainers.node, at)),
        by: edgeText(this.graph, of(this.retainers.edge, at)),
      });
    }
    const held: Held[] = [];
    for (let edge = of(this.graph.firstEdge, node); edge < of(this.graph.firstEdge, node + 1); edge++) {
      if (this.holds[edge]) held.push({ ...this.told(of(this.graph.edgeTo, edge)), by: edgeText(this.graph, edge) });
    }
    const far = (distance: number) => (distance < 0 ? Number.POSITIVE_INFINITY : distance);
    holders.sort((a, b) => far(a.distance) - far(b.distance) || b.retained_bytes - a.retained_bytes);
    held.sort((a, b) => b.retained_bytes - a.retained_bytes);
    const above = of(this.dominance.dominator, node);
    return {
      ...this.told(node),
      way: this.wayTo(node),
      dominator: node === ROOT ? null : this.told(above),
      holders: holders.slice(0, MOST_AROUND),
      holder_count: holders.length,
      holds: held.slice(0, MOST_AROUND),
      held_count: held.length,
    };
  }

  /** From the root's side; the steps in the middle of a very long way are left out. */
  private wayTo(node: number): HeldObject[] {
    const way: HeldObject[] = [];
    for (let at = node; at !== ROOT && at >= 0; at = of(this.ways.holder, at)) {
      const edge = of(this.ways.edge, at);
      way.push({ ...this.told(at), by: edge < 0 ? "" : edgeText(this.graph, edge) });
    }
    way.reverse();
    if (way.length <= MOST_STEPS) return way;
    const half = MOST_STEPS / 2;
    return [...way.slice(0, half), ...way.slice(way.length - half)];
  }

  private told(node: number): HeapObject {
    const name = nameOf(this.graph, node);
    return {
      id: of(this.graph.nodeId, node),
      name: name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS)}…` : name,
      constructor_name: (this.table.rows[of(this.table.classOf, node)] as { name: string }).name,
      bytes: of(this.graph.selfSize, node),
      retained_bytes: of(this.dominance.retained, node),
      distance: of(this.ways.distance, node),
    };
  }

  private heaviest(wanted: (node: number) => boolean, most: number): HeapObject[] {
    const { retained } = this.dominance;
    const nodes: number[] = [];
    for (let node = 1; node < this.objects; node++) if (wanted(node)) nodes.push(node);
    nodes.sort((a, b) => of(retained, b) - of(retained, a) || a - b);
    return nodes.slice(0, most).map((node) => this.told(node));
  }
}
