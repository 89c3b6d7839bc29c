import type { tokens as words } from "../en/tokens";

export const tokens: Record<keyof typeof words, string> = {
  "tokens.title": "API 令牌",
  "tokens.new": "新令牌",
  "tokens.intro": "程序用它访问 API、Prometheus 和 Jaeger 接口以及 MCP。上报数据用应用自己的令牌。",
  "tokens.scope": "权限",
  "tokens.scope.read": "只读",
  "tokens.scope.write": "修改",
  "tokens.scope.admin": "管理",
  "tokens.scope.read.hint": "可以查看页面和数据，不能修改。",
  "tokens.scope.write.hint": "还可以创建应用、规则和仪表盘，启动工具。",
  "tokens.scope.admin.hint": "还可以决定谁有权这样做。",
  "tokens.apps": "应用",
  "tokens.apps.all": "所有应用",
  "tokens.make": "创建令牌",
  "tokens.once": "只显示这一次：",
  "tokens.created": "创建于",
  "tokens.count": "{count} 个令牌",
  "tokens.none": "还没有令牌",
  "tokens.revoke": "吊销",
  "tokens.revoke.sure": "确认吊销",
  "tokens.adminsOnly": "只有管理员可以查看和创建令牌",
};
