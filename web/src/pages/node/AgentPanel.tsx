import type { NodeReport } from "../../api/nodesTypes";
import { bytes, count, NOTHING, text } from "../../domain/format";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";
import { AgentMark, agentWords, clockWords } from "../nodes/AgentMark";
import classes from "./NodePage.module.css";

/** Names of counters that people need not know. */
const LOSSES: Record<string, Key> = {
  "sonde.agent.frames.dropped": "nodes.loss.frames",
  "sonde.agent.frames.refused": "nodes.loss.refused",
  "sonde.agent.send.errors": "nodes.loss.send",
  "sonde.agent.readings.failed": "nodes.loss.readings",
  "sonde.probe.spans.dropped": "nodes.loss.spans",
};

/** How the agent does: what waits, what was lost and why, and whether the clock is right. */
export function AgentPanel({ report: { node, losses } }: { report: NodeReport }) {
  const { t, language } = useWords();
  const { agent } = node;
  if (!agent) return null;
  const offset = agent.clock_offset_s;
  return (
    <Panel title={t("nodes.agentTitle")} testId={TEST_IDS.nodeAgent}>
      <dl className={classes.facts}>
        <dt>{t("nodes.agent.state")}</dt>
        <dd>
          <AgentMark agent={agent} /> {agentWords(agent, t, language)}
        </dd>
        <dt>{t("nodes.version")}</dt>
        <dd>{agent.version || NOTHING}</dd>
        <dt>{t("nodes.clock")}</dt>
        <dd>
          {offset === null ? NOTHING : agent.state === "clock" ? clockWords(offset, t) : t("nodes.clock.right")}
          {agent.state === "clock" && <span className="muted"> {t("nodes.clock.hint")}</span>}
        </dd>
        <dt>{t("nodes.queue")}</dt>
        <dd>
          {agent.queue_bytes === null
            ? NOTHING
            : t("nodes.queue.of", { bytes: text(bytes(agent.queue_bytes)), count: agent.queue_batches ?? 0 })}
        </dd>
        <dt>{t("nodes.losses")}</dt>
        <dd data-testid={TEST_IDS.nodeLosses}>
          {losses.length === 0
            ? t("nodes.losses.none")
            : losses.map(({ what, reason, count: lost }) => (
                <div key={`${what} ${reason}`}>
                  {text(count(lost))} {LOSSES[what] ? t(LOSSES[what]) : what}{" "}
                  <span className="muted mono">{reason}</span>
                </div>
              ))}
        </dd>
      </dl>
    </Panel>
  );
}
