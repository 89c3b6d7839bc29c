/** Tokens of the API. */
export const tokens = {
  "tokens.title": "API tokens",
  "tokens.new": "New token",
  "tokens.intro":
    "What a program asks the API, Prometheus' and Jaeger's addresses, or MCP with. Senders use an app's token.",
  "tokens.scope": "Scope",
  "tokens.scope.read": "Read",
  "tokens.scope.write": "Change",
  "tokens.scope.admin": "Admin",
  "tokens.scope.read.hint": "Sees pages and data, and changes nothing.",
  "tokens.scope.write.hint": "Also makes apps, rules and dashboards, and starts tools.",
  "tokens.scope.admin.hint": "Also says who may do so.",
  "tokens.apps": "Apps",
  "tokens.apps.all": "All apps",
  "tokens.make": "Make token",
  "tokens.once": "Shown this once:",
  "tokens.created": "Made",
  "tokens.count": "{count} {count|token|tokens}",
  "tokens.none": "There is no token yet",
  "tokens.revoke": "Revoke",
  "tokens.revoke.sure": "Revoke it",
  "tokens.adminsOnly": "Tokens are for admins to see and make",
} as const;
