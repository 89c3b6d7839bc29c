import type { live as words } from "../en/live";

export const live: Record<keyof typeof words, string> = {
  "live.pause": "暂停",
  "live.resume": "继续",
  "live.paused": "已暂停",
  "live.behind": "延迟 {duration}",
  "live.silent": "尚未收到数据",
  "live.traffic": "每秒请求数",
  "live.window": "最近 {seconds} 秒",
  "live.worstP95": "最高 p95",
  "live.services": "各服务，最近 10 秒",
  "live.latest": "最新请求",
  "live.slowest": "一分钟内最慢",
  "live.quiet": "没有请求",
  "live.empty": "最近一分钟没有收到数据",
};
