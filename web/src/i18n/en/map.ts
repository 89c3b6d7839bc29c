/** The map. */
export const map = {
  "map.label": "Map of {count} {count|node|nodes}",
  "map.nodes": "Nodes ({count})",
  "map.calls": "Calls ({count})",
  "map.from": "From",
  "map.to": "To",
  "map.openService": "Open service",
  "map.empty": "Nobody called anybody in this time",
} as const;
