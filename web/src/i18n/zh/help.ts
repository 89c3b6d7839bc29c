import type { help as words } from "../en/help";

export const help: Record<keyof typeof words, string> = {
  "help.title": "快捷键",
  "help.pages": "页面",
  "help.everywhere": "通用",
  "help.waterfall": "瀑布图",
  "help.mouse": "鼠标",
  "help.search": "跳到搜索框",
  "help.help": "显示本帮助",
  "help.close": "关闭、取消",
  "help.rows": "上一个、下一个 Span",
  "help.open": "展开、进入",
  "help.fold": "折叠、返回",
  "help.zoom": "放大、缩小、完整调用链",
  "help.matches": "下一个、上一个匹配",
  "help.drag": "在图表上拖动可选择时间，在瀑布图上拖动可放大。按住 Ctrl 滚动滚轮可缩放瀑布图。",
};
