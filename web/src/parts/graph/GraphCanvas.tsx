import cytoscape, { type Core, type EdgeSingular, type StylesheetStyle } from "cytoscape";
import { type RefObject, useEffect, useRef, useState } from "react";

import type { MapEdge, MapNode, NodeType } from "../../api/types";
import type { Palette } from "../../theme/palette";
import { edgeData, elementsOf, nodeData } from "./elements";
import { layoutOf, shapeOf, spotOf } from "./layout";
import { forgetSpots, recallSpots, rememberSpots } from "./rememberedSpots";
import type { GraphView } from "./ServiceGraph";
import classes from "./ServiceGraph.module.css";
import { TYPE_ICONS } from "./typeIcons";

interface Props {
  nodes: readonly MapNode[];
  edges: readonly MapEdge[];
  seconds: number;
  selected: string | undefined;
  call: string | undefined;
  near: ReadonlySet<string> | undefined;
  onSelect: (id: string | undefined) => void;
  onCall: (id: string) => void;
  palette: Palette;
  view: RefObject<GraphView | null>;
}

const SHAPES: Record<NodeType, string> = {
  service: "round-rectangle",
  database: "barrel",
  cache: "round-hexagon",
  messaging: "round-tag",
  external: "round-octagon",
  client: "ellipse",
};
const FIT_PADDING_PX = 36;
/** Below this the calls run downwards, and have labels only where a node is chosen. */
const NARROW_PX = 560;
/** A graph of two nodes should not fill the wall. */
const CLOSEST_FIT = 1.25;
/** From so many nodes on, the picture moves as a picture, and is drawn anew when it stands still. */
const LARGE = 120;

/** The Cytoscape instance behind the map; a chunk of its own. Figures change in place, only a new shape is laid out anew. */
export default function GraphCanvas(props: Props) {
  const { nodes, edges, seconds, selected, call, near, onSelect, onCall, palette, view } = props;
  const box = useRef<HTMLDivElement>(null);
  const graph = useRef<Core | null>(null);
  const moved = useRef(false);
  const told = useRef({ onSelect, onCall });
  told.current = { onSelect, onCall };
  const large = useRef(nodes.length >= LARGE).current;
  const [arranged, setArranged] = useState(0);

  useEffect(() => {
    const core = cytoscape({
      container: box.current,
      minZoom: 0.15,
      maxZoom: 3,
      boxSelectionEnabled: false,
      autounselectify: true,
      ...(large && { textureOnViewport: true, pixelRatio: 1 }),
    });
    graph.current = core;
    core.on("tap", "node", ({ target }) => told.current.onSelect(target.id()));
    core.on("tap", "edge", ({ target }) => told.current.onCall(target.id()));
    core.on("tap", (event) => {
      if (event.target === core) told.current.onSelect(undefined);
    });
    core.on("dragfree", "node", ({ target }) => {
      rememberSpots(new Map([[target.id(), spotOf(target.position(), directionOf(core))]]));
    });
    core.on("dragpan pinchzoom scrollzoom", () => {
      moved.current = true;
    });
    view.current = {
      fit: () => {
        moved.current = false;
        showAll(core);
      },
      zoomBy: (factor) => {
        moved.current = true;
        core.zoom({ level: core.zoom() * factor, renderedPosition: { x: core.width() / 2, y: core.height() / 2 } });
      },
      arrange: () => {
        forgetSpots();
        moved.current = false;
        setArranged((times) => times + 1);
      },
    };
    const resized = new ResizeObserver(() => {
      core.resize();
      if (!moved.current) showAll(core);
    });
    if (box.current) resized.observe(box.current);
    return () => {
      resized.disconnect();
      core.destroy();
    };
  }, [view, large]);

  useEffect(() => {
    graph.current?.style(styleOf(palette, large));
  }, [palette, large]);

  const shape = `${arranged} ${shapeOf(nodes, edges)}`;
  const shown = useRef("");
  useEffect(() => {
    const core = graph.current;
    if (!core) return;
    core.batch(() => {
      if (shown.current !== shape) {
        core.elements().remove();
        const layout = layoutOf(nodes, edges, directionOf(core), recallSpots());
        rememberSpots(layout.spots);
        core.add(elementsOf(nodes, edges, seconds, layout));
        core.edges().toggleClass("unlabelled", large || core.width() < NARROW_PX);
        return;
      }
      for (const node of nodes) core.getElementById(node.id).data(nodeData(node, seconds));
      for (const edge of edges) {
        const { id, label, health, width, message } = edgeData(edge, seconds);
        core.getElementById(id).data({ label, health, width, message });
      }
    });
    if (shown.current !== shape && !moved.current) showAll(core);
    shown.current = shape;
  }, [nodes, edges, seconds, shape, large]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: elements made anew are marked anew
  useEffect(() => {
    const core = graph.current;
    if (!core) return;
    core.batch(() => {
      core.elements().removeClass("chosen near far");
      if (call !== undefined) {
        const edge = core.getElementById(call);
        if (edge.empty()) return;
        core.elements().addClass("far");
        edge.removeClass("far").addClass("near");
        edge.connectedNodes().removeClass("far");
        return;
      }
      if (selected === undefined || near === undefined) return;
      const node = core.getElementById(selected);
      if (node.empty()) return;
      core.elements().addClass("far");
      const bright = core.nodes().filter((one) => near.has(one.id()));
      bright.removeClass("far");
      bright.edgesWith(bright).removeClass("far");
      node.connectedEdges().addClass("near");
      node.addClass("chosen");
    });
  }, [selected, call, near, shape]);

  return <div ref={box} className={classes.canvas} />;
}

const directionOf = (core: Core) => (core.width() < NARROW_PX ? "down" : "right");

function showAll(core: Core): void {
  if (core.elements().empty() || core.width() === 0) return;
  core.fit(undefined, FIT_PADDING_PX);
  if (core.zoom() > CLOSEST_FIT) {
    core.zoom(CLOSEST_FIT);
    core.center();
  }
}

function styleOf(palette: Palette, large: boolean): StylesheetStyle[] {
  const colour = { ok: palette.ok, warn: palette.warn, error: palette.error, idle: palette.idle };
  const font = '"Inter Sonde", "Noto Sans CJK SC", sans-serif';
  const node = {
    width: 46,
    height: 46,
    "background-color": palette.raised,
    "border-width": 2,
    "background-width": 24,
    "background-height": 24,
    "background-image-crossorigin": "null",
    label: "data(label)",
    color: palette.text,
    "font-family": font,
    "font-size": 12,
    "line-height": 1.3,
    "text-wrap": "wrap",
    "text-valign": "bottom",
    "text-margin-y": 5,
    "text-background-color": palette.surface,
    "text-background-opacity": 0.85,
    "text-background-padding": "2px",
    "min-zoomed-font-size": 5,
    "overlay-opacity": 0,
  };
  const edge = {
    "curve-style": large ? "straight" : "bezier",
    width: "data(width)",
    "target-arrow-shape": "triangle",
    "arrow-scale": 0.85,
    label: "data(label)",
    color: palette.muted,
    "font-family": font,
    "font-size": 11,
    "text-background-color": palette.surface,
    "text-background-opacity": 0.95,
    "text-background-padding": "2px",
    "min-zoomed-font-size": 6,
    "overlay-opacity": 0,
  };
  const healths = ["ok", "warn", "error", "idle"] as const;
  const sheet: { selector: string; style: Record<string, unknown> }[] = [
    { selector: "node", style: node },
    { selector: "edge", style: edge },
    ...(Object.keys(SHAPES) as NodeType[]).map((type) => ({
      selector: `node[type = "${type}"]`,
      style: { shape: SHAPES[type], "background-image": TYPE_ICONS[type] },
    })),
    ...healths.map((health) => ({ selector: `node[health = "${health}"]`, style: { "border-color": colour[health] } })),
    ...healths.map((health) => {
      // a healthy call is quiet: colour is kept for those that need a look
      const line = health === "ok" || health === "idle" ? palette.idle : colour[health];
      const style = { "line-color": line, "target-arrow-color": line };
      return {
        selector: `edge[health = "${health}"]`,
        style: health === "error" ? { ...style, color: palette.error } : style,
      };
    }),
    {
      selector: 'edge[message = "yes"]',
      style: { "line-style": "dashed", "line-dash-pattern": [7, 5], "target-arrow-shape": "vee" },
    },
    {
      selector: "edge.bent",
      style: {
        "curve-style": "round-segments",
        "segment-radii": 40,
        "edge-distances": "node-position",
        "segment-weights": (edge: EdgeSingular) => edge.data("weights"),
        "segment-distances": (edge: EdgeSingular) => edge.data("distances"),
      },
    },
    { selector: ".far", style: { opacity: 0.28 } },
    { selector: "edge.unlabelled", style: { "text-opacity": 0, "text-background-opacity": 0 } },
    { selector: "edge.near", style: { color: palette.text, "text-opacity": 1, "text-background-opacity": 0.95 } },
    { selector: "node.chosen", style: { "border-width": 4, "background-color": palette.accentSoft } },
  ];
  return sheet as unknown as StylesheetStyle[];
}
