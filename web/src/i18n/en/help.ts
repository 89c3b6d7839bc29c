/** Keys and gestures. */
export const help = {
  "help.title": "Keyboard",
  "help.pages": "Pages",
  "help.everywhere": "Everywhere",
  "help.waterfall": "Waterfall",
  "help.mouse": "Mouse",
  "help.search": "To the search field",
  "help.help": "This help",
  "help.close": "Close, let go",
  "help.rows": "Previous, next span",
  "help.open": "Unfold, enter",
  "help.fold": "Fold, leave",
  "help.zoom": "Zoom in, out, whole trace",
  "help.matches": "Next, previous match",
  "help.drag":
    "Drag over a chart to choose its time, over the bars of a waterfall to zoom in. Ctrl and wheel zooms the waterfall.",
} as const;
