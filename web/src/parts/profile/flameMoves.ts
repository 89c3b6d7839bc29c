/** What a key does in a flame graph. */

import type { FlameTree } from "./flameTree";
import { at } from "./profile";

export type Move = "in" | "out" | "before" | "after" | "first";

/** The node that a move leads to; where there is none, the same. `in` leads to the heaviest child. */
export function moved(tree: FlameTree, node: number, move: Move): number {
  const parent = at(tree.parent, node);
  switch (move) {
    case "in":
      return at(tree.end, node) > node + 1 ? node + 1 : node;
    case "out":
      return Math.max(0, parent);
    case "after":
      return parent >= 0 && at(tree.end, node) < at(tree.end, parent) ? at(tree.end, node) : node;
    case "before": {
      if (parent < 0 || node === parent + 1) return node;
      let sister = parent + 1;
      while (at(tree.end, sister) < node) sister = at(tree.end, sister);
      return sister;
    }
    case "first":
      return 0;
  }
}
