/** The tools by name, and what their pages say of them in any language. */

import type { JobState } from "../api/types";
import type { Translate } from "../i18n";
import type { Health } from "./health";

/** Those that the console has words for; a newer server may have more. */
export const KNOWN_TOOLS = ["cpu", "calls", "leaks", "stalls", "syscalls", "stacks", "heap"] as const;
type KnownTool = (typeof KNOWN_TOOLS)[number];

const isKnown = (tool: string): tool is KnownTool => (KNOWN_TOOLS as readonly string[]).includes(tool);

export const toolName = (t: Translate, tool: string) => (isKnown(tool) ? t(`tool.${tool}`) : tool);

export const whatItShows = (t: Translate, tool: string) =>
  isKnown(tool) ? t(`tool.${tool}.shows`) : t("tool.unknown.shows");

export const whatItCosts = (t: Translate, tool: string) => (isKnown(tool) ? t(`tool.${tool}.costs`) : "");

/** In the order of KNOWN_TOOLS, then what else there is. */
export function inOrder<T extends { name: string }>(tools: readonly T[]): T[] {
  const place = ({ name }: T) => (isKnown(name) ? KNOWN_TOOLS.indexOf(name) : KNOWN_TOOLS.length);
  return [...tools].sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
}

const REASONS = [
  "unknown_tool",
  "unavailable",
  "busy",
  "bad_options",
  "no_memory",
  "too_slow",
  "aborted",
  "gone",
  "lost",
  "not_connected",
  "no_answer",
  "bad_signature",
  "wrong_node",
  "expired",
  "replayed",
  "not_allowed",
  "too_large",
  "disk_full",
  "error",
] as const;

/** Why a run failed, for people; empty for a reason that is newer than the console. */
export function reasonText(t: Translate, reason: string): string {
  const known = REASONS.find((one) => one === reason);
  return known ? t(`job.reason.${known}`) : "";
}

export const stateHealth: Record<JobState, Health> = {
  waiting: "idle",
  running: "warn",
  done: "ok",
  failed: "error",
  cancelled: "idle",
};

/** Where an agent that runs as root looks for its policy, and one that does not. */
export const POLICY_PATH = "/etc/sonde/policy.toml";
export const OWN_POLICY_PATH = "~/.config/sonde/policy.toml";

export const POLICY = `[tools]
allow = ["*"]            # or some: "cpu", "stacks"
max_seconds = 300
services = ["*"]         # names, with * at the end`;
