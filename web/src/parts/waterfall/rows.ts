/** From spans to the rows that are drawn. Pure; linear in the number of spans, so 100,000 of them fold in milliseconds. */

import type { Span } from "../../api/types";

/** Everything about the tree that does not change while folding. Indexes are places in `spans`. */
export interface Tree {
  spans: readonly Span[];
  /** The parent's index, -1 for roots and for spans whose parent never arrived. */
  parent: Int32Array;
  /** First index after the last descendant. */
  end: Int32Array;
  /** Whether a span below this one failed: a folded branch still tells. */
  errorBelow: Uint8Array;
  indexOf: ReadonlyMap<string, number>;
}

/** `spans` in drawing order, each after its parent: depth alone then tells the tree. */
export function treeOf(spans: readonly Span[]): Tree {
  const parent = new Int32Array(spans.length).fill(-1);
  const end = new Int32Array(spans.length);
  const errorBelow = new Uint8Array(spans.length);
  const open: number[] = [];
  const close = (index: number, at: number) => {
    end[index] = at;
    const above = parent[index] as number;
    if (above >= 0 && (spans[index]?.error || errorBelow[index])) errorBelow[above] = 1;
  };
  spans.forEach((span, index) => {
    while (open.length > 0 && depthOf(spans, open[open.length - 1]) >= span.depth) close(open.pop() as number, index);
    parent[index] = open[open.length - 1] ?? -1;
    open.push(index);
  });
  while (open.length > 0) close(open.pop() as number, spans.length);
  return { spans, parent, end, errorBelow, indexOf: new Map(spans.map((span, index) => [span.span_id, index])) };
}

const depthOf = (spans: readonly Span[], index: number | undefined) =>
  index === undefined ? -1 : (spans[index]?.depth ?? -1);

export const hasChildren = (tree: Tree, index: number) => (tree.end[index] as number) > index + 1;

/** The spans in view from top to bottom when the branches of `folded` are closed. */
export function visibleRows(tree: Tree, folded: ReadonlySet<number>): Int32Array {
  const rows = new Int32Array(tree.spans.length);
  let count = 0;
  let index = 0;
  while (index < tree.spans.length) {
    rows[count++] = index;
    index = folded.has(index) ? (tree.end[index] as number) : index + 1;
  }
  return rows.subarray(0, count);
}

/** Where a span stands among `rows`; the fold that hides it stands for it. */
export function rowOf(rows: Int32Array, index: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((rows[middle] as number) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** `folded` without anything that hides `index`. */
export function unfoldedFor(tree: Tree, folded: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const ancestors: number[] = [];
  for (let above = tree.parent[index] as number; above >= 0; above = tree.parent[above] as number)
    ancestors.push(above);
  if (!ancestors.some((above) => folded.has(above))) return folded;
  const open = new Set(folded);
  for (const above of ancestors) open.delete(above);
  return open;
}

export type Move = "up" | "down" | "pageUp" | "pageDown" | "first" | "last" | "in" | "out";

export interface Moved {
  selected: number;
  folded: ReadonlySet<number>;
}

/** What a key does in a tree: `in` opens, then enters; `out` closes, then leaves. */
export function moved(tree: Tree, rows: Int32Array, state: Moved, move: Move, page: number): Moved {
  const { selected, folded } = state;
  if (tree.spans.length === 0) return state;
  if (selected < 0) return { selected: rows[0] as number, folded };
  const at = rowOf(rows, selected);
  const to = (row: number) => ({ selected: rows[Math.min(rows.length - 1, Math.max(0, row))] as number, folded });
  switch (move) {
    case "up":
      return to(at - 1);
    case "down":
      return to(at + 1);
    case "pageUp":
      return to(at - page);
    case "pageDown":
      return to(at + page);
    case "first":
      return to(0);
    case "last":
      return to(rows.length - 1);
    case "in":
      if (!hasChildren(tree, selected)) return state;
      return folded.has(selected) ? { selected, folded: toggled(folded, selected) } : to(at + 1);
    case "out": {
      if (hasChildren(tree, selected) && !folded.has(selected)) return { selected, folded: toggled(folded, selected) };
      const above = tree.parent[selected] as number;
      return above >= 0 ? { selected: above, folded } : state;
    }
  }
}

export function toggled(folded: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const next = new Set(folded);
  if (!next.delete(index)) next.add(index);
  return next;
}

/** Spans that have `words` in their name, service, statement, peer or an attribute; every word must be found. */
export function matchesOf(spans: readonly Span[], words: string): number[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  const found: number[] = [];
  spans.forEach((span, index) => {
    const text = searchedText(span);
    if (wanted.every((word) => text.includes(word))) found.push(index);
  });
  return found;
}

function searchedText(span: Span): string {
  let text = `${span.name}\n${span.service}\n${span.peer}\n${span.statement}\n${span.status_message}\n${span.span_id}`;
  for (const [key, value] of Object.entries(span.attributes)) text += `\n${key}=${value}`;
  return text.toLowerCase();
}
