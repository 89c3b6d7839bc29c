/** A canned map of any size, and how much went on over its time. */

import type { MapHistory } from "../src/api/mapTypes";
import type { MapEdge, MapNode, NodeType, ServiceMap } from "../src/api/types";
import { randomFrom } from "./random.ts";

const LAYERS = 9;
const STEPS = 120;
const KINDS: readonly [NodeType, string][] = [
  ["database", "postgresql"],
  ["cache", "redis"],
  ["messaging", "kafka"],
  ["external", "http"],
];

/** A company: services in layers, each calling two or three of the next ones, and what they keep their data in. */
export function largeMap(size: number, seconds: number): Pick<ServiceMap, "nodes" | "edges"> {
  const random = randomFrom(42);
  const services = Math.round(size * 0.75);
  const nodes = Array.from({ length: size }, (_, index) => node(index, index < services, random, seconds));
  const layerOf = (index: number) => Math.floor((index / services) * LAYERS);
  const edges = new Map<string, MapEdge>();
  const call = (from: number, to: number) => {
    const [source, target] = [nodes[from] as MapNode, nodes[to] as MapNode];
    edges.set(`${from}-${to}`, edge(source, target, random));
  };
  for (let index = 0; index < services; index++) {
    const below = Array.from({ length: services }, (_, other) => other).filter((other) => {
      const down = layerOf(other) - layerOf(index);
      return down === 1 || (down === 2 && random() < 0.08);
    });
    for (let times = 0; times < 2 + random() * 2 && below.length > 0; times++)
      call(index, below[Math.floor(random() * below.length)] as number);
    if (random() < 0.6) call(index, services + Math.floor(random() * (size - services)));
  }
  return { nodes, edges: [...edges.values()] };
}

function node(index: number, isService: boolean, random: () => number, seconds: number): MapNode {
  const [type, system] = isService
    ? (["service", ""] as const)
    : (KINDS[index % KINDS.length] as (typeof KINDS)[number]);
  const requests = Math.round((5 + random() * 200) * seconds);
  const p95_ms = 2 + random() ** 3 * 900;
  return {
    id: `${type}:${index}`,
    name: isService ? `service-${index}` : `${system}-${index}:${5000 + index}`,
    type,
    system,
    requests,
    errors: random() < 0.06 ? Math.round(requests * random() * 0.1) : 0,
    average_ms: p95_ms / 2.5,
    p95_ms,
  };
}

function edge(source: MapNode, target: MapNode, random: () => number): MapEdge {
  const requests = Math.round(target.requests * (0.1 + random() * 0.5));
  return {
    source: source.id,
    target: target.id,
    requests,
    errors: target.errors > 0 ? Math.round((target.errors / target.requests) * requests) : 0,
    average_ms: target.average_ms,
    p95_ms: target.p95_ms,
    is_message: target.type === "messaging",
    known_by: target.type === "service" ? "traces" : "",
    other_end: null,
  };
}

/** A day's rise and fall, with a bad moment in the middle. */
export function mapHistory(scenario: string, from: number, to: number): MapHistory {
  const step_s = Math.max(30, Math.ceil((to - from) / 1000 / STEPS / 30) * 30);
  const step_ms = step_s * 1000;
  const start = Math.floor(from / step_ms) * step_ms;
  const moments = [];
  for (let time = start; time < to; time += step_ms) {
    const place = (time - start) / (to - start);
    const covered_s = Math.min(step_s, (to - time) / 1000);
    const requests = scenario === "empty" ? 0 : Math.round(covered_s * (60 + 40 * Math.sin(place * 7) + (time % 7)));
    const bad = place > 0.5 && place < 0.58;
    moments.push({
      time: new Date(time).toISOString(),
      covered_s,
      requests,
      errors: bad ? Math.round(requests * 0.2) : Math.round(requests * 0.004),
    });
  }
  return { from: new Date(start).toISOString(), to: new Date(to).toISOString(), step_s, moments };
}
