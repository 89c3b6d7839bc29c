/** Draws the part of a flame graph that is in view. Costs what can be seen, not what there is. */

import type { Palette } from "../../theme/palette";
import type { FlameTree } from "./flameTree";
import { at } from "./profile";

export const ROW_PX = 19;
const LEAST_PX = 0.5;
const LEAST_TEXT_PX = 26;
const PADDING_PX = 5;
const FONT = '11px "JetBrains Mono Sonde", ui-monospace, monospace';
const SEARCHED_FADE = 0.3;

/** The part in view, in units of the tree's totals. */
export interface Window {
  from: number;
  to: number;
}

export interface Scene {
  tree: FlameTree;
  window: Window;
  width: number;
  height: number;
  scrollTop: number;
  /** For each node the place of its colour. */
  colourOf: (node: number) => number;
  colours: readonly string[];
  /** By frame; null when nothing is searched. */
  matches: Uint8Array | null;
  /** The zoomed node: its callers are drawn, but quieter. */
  zoomed: number;
  rootLabel: string;
  palette: Palette;
}

/** Draws; answers how many boxes. */
export function draw(context: CanvasRenderingContext2D, scene: Scene): number {
  const { tree, window, width, height, scrollTop, palette, matches } = scene;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  const letter = context.measureText("m").width;
  const scale = width / (window.to - window.from);
  const firstRow = Math.floor(scrollTop / ROW_PX);
  const lastRow = Math.ceil((scrollTop + height) / ROW_PX);
  const zoomedDepth = at(tree.depth, scene.zoomed);
  const { frame, depth, end, start, total, parent } = tree;
  const size = frame.length;
  let drawn = 0;
  let colour = "";
  let faded = false;
  let node = 0;
  while (node < size) {
    const row = at(depth, node);
    if (row > lastRow) {
      node = at(end, node);
      continue;
    }
    const left = (at(start, node) - window.from) * scale;
    const wide = at(total, node) * scale;
    if (left + wide <= 0) {
      node = at(end, node);
      continue;
    }
    if (left >= width || wide < LEAST_PX) {
      // children stand by weight, so the sisters after this one are out of view, too, or as thin
      const above = at(parent, node);
      if (above >= 0 && wide < LEAST_PX && left < width && row >= firstRow) {
        const rest = (at(start, above) + at(total, above) - at(tree.self, above) - at(start, node)) * scale;
        if (rest >= LEAST_PX) {
          if (colour !== palette.grid) context.fillStyle = colour = palette.grid;
          context.fillRect(left, row * ROW_PX - scrollTop, rest, ROW_PX - 1);
          drawn++;
        }
      }
      node = above >= 0 ? at(end, above) : size;
      continue;
    }
    if (row >= firstRow) {
      const x = Math.max(0, left);
      const room = Math.min(width, left + wide) - x;
      const y = row * ROW_PX - scrollTop;
      const found = matches !== null && node > 0 && matches[at(frame, node)] === 1;
      const next = found ? palette.match : node === 0 ? palette.grid : (scene.colours[scene.colourOf(node)] as string);
      const fade = (matches !== null && !found) || (row < zoomedDepth && node > 0);
      if (fade !== faded) {
        context.globalAlpha = fade ? SEARCHED_FADE : 1;
        faded = fade;
      }
      if (next !== colour) context.fillStyle = colour = next;
      context.fillRect(x, y, room > 3 ? room - 1 : room, ROW_PX - 1);
      drawn++;
      if (room > LEAST_TEXT_PX) {
        const label = node === 0 ? scene.rootLabel : (tree.frames.name[at(frame, node)] as string);
        const fits = Math.floor((room - PADDING_PX * 2) / letter);
        if (fits >= 2) {
          if (fade) context.globalAlpha = row < zoomedDepth ? 0.75 : 0.6;
          context.fillStyle = palette.text;
          const text = label.length > fits ? `${label.slice(0, fits - 1)}…` : label;
          context.fillText(text, x + PADDING_PX, y + ROW_PX / 2);
          if (fade) context.globalAlpha = SEARCHED_FADE;
          context.fillStyle = colour;
        }
      }
    }
    node++;
  }
  context.globalAlpha = 1;
  return drawn;
}

/** The node at this place of the drawing; -1 where there is none. */
export function nodeUnder(scene: Pick<Scene, "tree" | "window" | "width" | "scrollTop">, x: number, y: number): number {
  const { tree, window, width, scrollTop } = scene;
  const row = Math.floor((y + scrollTop) / ROW_PX);
  const value = window.from + (x / width) * (window.to - window.from);
  let node = 0;
  while (node < tree.frame.length) {
    const from = at(tree.start, node);
    if (value < from || value >= from + at(tree.total, node)) {
      node = at(tree.end, node);
      // nothing of this branch holds the place, nor does anything beyond it
      if (node >= tree.frame.length || value < from) return -1;
    } else if (at(tree.depth, node) === row) return node;
    else node++;
  }
  return -1;
}

/** Where a node is drawn. */
export function boxOf(scene: Pick<Scene, "tree" | "window" | "width" | "scrollTop">, node: number) {
  const { tree, window, width, scrollTop } = scene;
  const scale = width / (window.to - window.from);
  const left = Math.max(0, (at(tree.start, node) - window.from) * scale);
  const right = Math.min(width, (at(tree.start, node) + at(tree.total, node) - window.from) * scale);
  return { left, top: at(tree.depth, node) * ROW_PX - scrollTop, width: Math.max(0, right - left) };
}
