import type { map as words } from "../en/map";

export const map: Record<keyof typeof words, string> = {
  "map.label": "拓扑图，共 {count} 个节点",
  "map.nodes": "节点（{count}）",
  "map.calls": "调用（{count}）",
  "map.from": "调用方",
  "map.to": "被调用方",
  "map.openService": "打开服务",
  "map.empty": "这段时间内没有调用",
};
