/** Puts the rows in view on a canvas. Knows nothing of scrolling, folding or React. */

import { duration, text as textOf } from "../../domain/format";
import type { Palette } from "../../theme/palette";
import { hasChildren, type Tree } from "./rows";
import { type TimeWindow, ticks, xOf } from "./timeScale";

export const ROW_PX = 26;
const BAR_PX = 12;
const LEAST_BAR_PX = 2;
const CRITICAL_PX = 2.5;
const DIMMED = 0.3;
/** Less than this is not worth a word beside the name. */
const LEAST_BESIDE_PX = 30;
/** Beside a bar that starts at the very edge. */
const MARGIN_PX = 10;
const FOLD_PX = 16;
const SANS = '"Inter Sonde", "Noto Sans CJK SC", system-ui, sans-serif';
const NAME_FONT = `12.5px ${SANS}`;
const SMALL_FONT = `11px ${SANS}`;

export interface Scene {
  tree: Tree;
  /** Indexes of the spans in view, top to bottom; row 0 is `firstRow`. */
  rows: Int32Array;
  firstRow: number;
  /** Pixels of the first row that are above the canvas. */
  shift: number;
  folded: ReadonlySet<number>;
  selected: number;
  hovered: number;
  matches: ReadonlySet<number>;
  window: TimeWindow;
  width: number;
  height: number;
  treeWidth: number;
  indent: number;
  colourOf: ReadonlyMap<string, string>;
  covered: (index: number) => readonly number[];
  /** Stretches of the critical path by span: from, to, from, to … in ms from the trace's start. */
  critical: ReadonlyMap<number, readonly number[]>;
  /** Dims the spans that are not on it. */
  onlyCritical: boolean;
  palette: Palette;
}

/** Room for bars, inside its margins. */
export const barsWidth = (width: number, treeWidth: number) => Math.max(10, width - treeWidth - 2 * MARGIN_PX);
export const barsLeft = (treeWidth: number) => treeWidth + MARGIN_PX;

export const foldLeft = (depth: number, indent: number) => 8 + depth * indent;

/** Indentation that leaves half of the column to names, however deep the trace. */
export function indentFor(deepest: number, treeWidth: number): number {
  return Math.min(14, (treeWidth * 0.45) / Math.max(1, deepest));
}

export function draw(context: CanvasRenderingContext2D, scene: Scene): void {
  const { width, height, treeWidth, palette } = scene;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, width, height);
  drawGrid(context, scene);
  const shown = Math.ceil((height + scene.shift) / ROW_PX);
  for (let row = 0; row < shown; row++) {
    const index = scene.rows[scene.firstRow + row];
    if (index === undefined) break;
    const top = row * ROW_PX - scene.shift;
    drawBackground(context, scene, index, top);
    if (scene.onlyCritical && !scene.critical.has(index)) context.globalAlpha = DIMMED;
    drawBar(context, scene, index, top);
    drawLabel(context, scene, index, top);
    context.globalAlpha = 1;
  }
  context.fillStyle = palette.line;
  context.fillRect(treeWidth - 1, 0, 1, height);
}

function drawGrid(context: CanvasRenderingContext2D, { window, width, height, treeWidth, palette }: Scene): void {
  const room = barsWidth(width, treeWidth);
  context.fillStyle = palette.grid;
  for (const tick of ticks(window, room)) {
    context.fillRect(Math.round(barsLeft(treeWidth) + xOf(tick, window, room)), 0, 1, height);
  }
}

function drawBackground(context: CanvasRenderingContext2D, scene: Scene, index: number, top: number): void {
  const { palette, selected, hovered, matches, width } = scene;
  const colour =
    index === selected
      ? palette.accentSoft
      : matches.has(index)
        ? palette.match
        : index === hovered
          ? palette.hover
          : null;
  if (colour) {
    context.fillStyle = colour;
    context.globalAlpha = index === selected || matches.has(index) ? 0.8 : 1;
    context.fillRect(0, top, width, ROW_PX);
    context.globalAlpha = 1;
  }
  if (index === selected) {
    context.fillStyle = palette.accent;
    context.fillRect(0, top, 2, ROW_PX);
  }
}

function drawLabel(context: CanvasRenderingContext2D, scene: Scene, index: number, top: number): void {
  const { tree, treeWidth, indent, palette, folded, colourOf } = scene;
  const span = tree.spans[index];
  if (!span) return;
  const middle = top + ROW_PX / 2;
  context.save();
  context.beginPath();
  context.rect(0, top, treeWidth - 6, ROW_PX);
  context.clip();
  let x = foldLeft(span.depth, indent);
  drawGuides(context, scene, span.depth, top);
  if (hasChildren(tree, index)) drawFold(context, x, middle, folded.has(index), palette);
  x += FOLD_PX;
  context.fillStyle = colourOf.get(span.service) ?? palette.idle;
  context.fillRect(x, middle - 6, 3, 12);
  x += 9;
  const hiddenError = folded.has(index) && tree.errorBelow[index] === 1;
  if (span.error || hiddenError) {
    drawDiamond(context, x + 5, middle, 5, palette.error, !span.error);
    x += 15;
  }
  context.textBaseline = "middle";
  context.font = NAME_FONT;
  context.fillStyle = span.error ? palette.error : palette.text;
  const name = shortenedTo(context, span.name, treeWidth - 8 - x);
  context.fillText(name, x, middle + 0.5);
  const beside = besideName(tree, index);
  x += context.measureText(name).width + 8;
  if (beside && x < treeWidth - LEAST_BESIDE_PX) {
    context.font = SMALL_FONT;
    context.fillStyle = palette.muted;
    context.fillText(shortenedTo(context, beside, treeWidth - 8 - x), x, middle + 0.5);
  }
  context.restore();
}

/** As much of the text as there is room for, in the font that is set. */
function shortenedTo(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low)}…`;
}

/** The service where it changes, else whom the span talks to. */
function besideName(tree: Tree, index: number): string {
  const span = tree.spans[index];
  const above = tree.parent[index] as number;
  if (span && (above < 0 || tree.spans[above]?.service !== span.service)) return span.service;
  return span?.kind === "client" || span?.kind === "producer" ? span.peer : "";
}

function drawGuides(context: CanvasRenderingContext2D, { indent, palette }: Scene, depth: number, top: number): void {
  if (indent < 6) return;
  context.fillStyle = palette.line;
  for (let level = 0; level < depth; level++) context.fillRect(Math.round(foldLeft(level, indent) + 5), top, 1, ROW_PX);
}

function drawFold(
  context: CanvasRenderingContext2D,
  x: number,
  middle: number,
  closed: boolean,
  palette: Palette,
): void {
  context.fillStyle = palette.muted;
  context.beginPath();
  if (closed) {
    context.moveTo(x + 3, middle - 4);
    context.lineTo(x + 8, middle);
    context.lineTo(x + 3, middle + 4);
  } else {
    context.moveTo(x + 1, middle - 2);
    context.lineTo(x + 9, middle - 2);
    context.lineTo(x + 5, middle + 3);
  }
  context.fill();
}

function drawDiamond(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  colour: string,
  hollow = false,
): void {
  context.beginPath();
  context.moveTo(x, y - radius);
  context.lineTo(x + radius, y);
  context.lineTo(x, y + radius);
  context.lineTo(x - radius, y);
  context.closePath();
  context.fillStyle = colour;
  context.strokeStyle = colour;
  if (hollow) context.stroke();
  else context.fill();
}

function drawBar(context: CanvasRenderingContext2D, scene: Scene, index: number, top: number): void {
  const { tree, window, width, treeWidth, palette, colourOf } = scene;
  const span = tree.spans[index];
  if (!span) return;
  const left = barsLeft(treeWidth);
  const room = barsWidth(width, treeWidth);
  const place = (time: number) => left + xOf(time, window, room);
  const from = place(span.offset_ms);
  const to = Math.max(from + LEAST_BAR_PX, place(span.offset_ms + span.duration_ms));
  const barTop = top + (ROW_PX - BAR_PX) / 2;

  context.save();
  context.beginPath();
  context.rect(treeWidth, top, width - treeWidth, ROW_PX);
  context.clip();
  const shownFrom = Math.max(from, treeWidth - 20);
  const shownTo = Math.min(to, width + 20);
  if (shownTo > shownFrom) {
    const colour = colourOf.get(span.service) ?? palette.idle;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(shownFrom, barTop, shownTo - shownFrom, BAR_PX, 2);
    context.fill();
    // what the children took is dimmed: the full colour is time of the span's own
    context.fillStyle = palette.surface;
    const strength = context.globalAlpha;
    context.globalAlpha = 0.55 * strength;
    const covered = scene.covered(index);
    for (let pair = 0; pair + 1 < covered.length; pair += 2) {
      const coverFrom = Math.max(shownFrom, place(covered[pair] as number));
      const coverTo = Math.min(shownTo, place(covered[pair + 1] as number));
      if (coverTo - coverFrom >= 0.5) context.fillRect(coverFrom, barTop + 1.5, coverTo - coverFrom, BAR_PX - 3);
    }
    context.globalAlpha = strength;
    if (span.error) {
      context.strokeStyle = palette.error;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }
  context.fillStyle = palette.text;
  const critical = scene.critical.get(index) ?? [];
  for (let pair = 0; pair + 1 < critical.length; pair += 2) {
    const criticalFrom = Math.max(treeWidth, place(critical[pair] as number));
    const criticalTo = Math.min(width, place(critical[pair + 1] as number));
    if (criticalTo > criticalFrom)
      context.fillRect(criticalFrom, barTop + BAR_PX + 1, Math.max(1, criticalTo - criticalFrom), CRITICAL_PX);
  }
  for (const event of span.events) {
    const x = place(span.offset_ms + event.offset_ms);
    context.fillStyle = event.name === "exception" ? palette.error : palette.text;
    context.fillRect(Math.round(x) - 0.5, barTop - 3, 1.5, BAR_PX + 6);
    context.fillRect(Math.round(x) - 1.5, barTop - 4, 3.5, 3);
  }
  drawDuration(context, scene, span.duration_ms, from, to, top);
  context.restore();
}

/** Beside the bar, at whichever side has room; inside it when the bar fills the view. */
function drawDuration(
  context: CanvasRenderingContext2D,
  { width, treeWidth, palette }: Scene,
  duration_ms: number,
  from: number,
  to: number,
  top: number,
): void {
  const label = textOf(duration(duration_ms));
  context.font = SMALL_FONT;
  context.textBaseline = "middle";
  const needed = context.measureText(label).width + 10;
  const middle = top + ROW_PX / 2 + 0.5;
  if (to < treeWidth || from > width) return;
  context.fillStyle = palette.muted;
  if (to + needed <= width) context.fillText(label, to + 6, middle);
  else if (from - needed >= treeWidth) context.fillText(label, from - needed + 4, middle);
  else {
    const x = Math.max(from, treeWidth) + 6;
    context.fillStyle = palette.surface;
    context.globalAlpha = 0.82;
    context.beginPath();
    context.roundRect(x - 4, middle - 8, needed - 2, 15, 3);
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = palette.text;
    context.fillText(label, x, middle);
  }
}
