import type { NodeAgent } from "../../api/nodesTypes";
import { ago, duration, text } from "../../domain/format";
import type { Health } from "../../domain/health";
import { type Translate, useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";

const HEALTH: Record<NodeAgent["state"], Health> = { ok: "ok", clock: "warn", silent: "error" };

/** Below a name in a table. */
export const SECOND_LINE = { display: "block", fontSize: "0.72rem", lineHeight: 1.2 } as const;

/** How the agent of a host is doing, as a mark. */
export function AgentMark({ agent }: { agent: NodeAgent }) {
  const { t, language } = useWords();
  return <HealthMark health={HEALTH[agent.state]} size={10} label={agentWords(agent, t, language)} />;
}

/** The same in words. */
export function AgentWords({ agent }: { agent: NodeAgent }) {
  const { t, language } = useWords();
  const said = agentWords(agent, t, language);
  return (
    <span className="ellipsis" style={SECOND_LINE} title={said}>
      {said}
    </span>
  );
}

export function agentWords(agent: NodeAgent, t: Translate, language: string): string {
  if (agent.state === "silent") return t("nodes.agent.silent", { ago: ago(agent.last_seen, language) });
  if (agent.state === "clock") return clockWords(agent.clock_offset_s ?? 0, t);
  return t("nodes.agent.ok", { ago: ago(agent.last_seen, language) });
}

export function clockWords(offset_s: number, t: Translate): string {
  const by = text(duration(Math.abs(offset_s) * 1000));
  return t(offset_s > 0 ? "nodes.clock.ahead" : "nodes.clock.behind", { duration: by });
}
