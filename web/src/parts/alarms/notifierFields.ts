/** Which fields a notifier of each kind has, and what it starts with. */

import type { AlarmNotifierDocument, NotifierKind } from "../../api/alarmsTypes";

export const NOTIFIER_KINDS: readonly NotifierKind[] = ["webhook", "email", "dingtalk", "feishu", "wecom", "slack"];

export const HAS_SECRET: readonly NotifierKind[] = ["webhook", "dingtalk", "feishu"];
export const HAS_MENTIONS: readonly NotifierKind[] = ["dingtalk", "feishu", "wecom", "slack"];

const EMPTY: Omit<AlarmNotifierDocument, "name" | "kind"> = {
  enabled: true,
  language: "en",
  group_s: 10,
  url: "",
  secret: "",
  format: "sonde",
  headers: {},
  mentions: [],
  smtp_host: "",
  smtp_port: 587,
  smtp_security: "starttls",
  smtp_user: "",
  smtp_password: "",
  from_address: "",
  to_addresses: [],
};

export const emptyNotifier = (kind: NotifierKind, language: "en" | "zh"): AlarmNotifierDocument => ({
  ...EMPTY,
  name: "",
  kind,
  language,
});

/** The same notifier by another way: what only the old way had is gone. */
export const byKind = (
  { name, enabled, language, group_s }: AlarmNotifierDocument,
  kind: NotifierKind,
): AlarmNotifierDocument => ({ ...EMPTY, name, enabled, language, group_s, kind });
