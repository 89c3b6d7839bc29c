import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { nodeQuery } from "../../api/nodes";
import type { NodeReport } from "../../api/nodesTypes";
import { ago, bytes, count, percent, plain, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Meter } from "../../parts/Meter";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { AgentMark, agentWords } from "../nodes/AgentMark";
import { memoryShare, shareOf, swapShare } from "../nodes/fractions";
import { AgentPanel } from "./AgentPanel";
import { HostedServices } from "./HostedServices";
import { NodeCharts } from "./NodeCharts";
import classes from "./NodePage.module.css";
import { NodeProcesses } from "./NodeProcesses";
import { TopProcessPanel } from "./TopProcessPanel";

const route = getRouteApi("/in/nodes/$host");

/** One host over time. */
export default function NodePage() {
  const { t } = useWords();
  const { host } = route.useParams();
  const { range, zoomTo } = useRange();
  const report = useQuery(nodeQuery(host, range));
  return (
    <Page
      title={host}
      heading={
        <Breadcrumb
          parent={
            <Link to="/nodes" className="link">
              {t("nav.nodes")}
            </Link>
          }
          name={host}
        />
      }
    >
      <Loaded query={report} skeleton={<ReportSkeleton />}>
        {(data) => (
          <>
            <NodeFigures report={data} />
            <NodeCharts report={data} onSelect={zoomTo} />
            <TopProcessPanel host={host} range={range} />
            <HostedServices services={data.services} />
            <NodeProcesses node={data.node.host_id} />
            <div className={classes.halves}>
              <Disks report={data} />
              <AgentPanel report={data} />
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function NodeFigures({ report: { node } }: { report: NodeReport }) {
  const { t, language } = useWords();
  const used = (part: number, whole: number) => t("nodes.of", { used: text(bytes(part)), total: text(bytes(whole)) });
  return (
    <>
      <p className={classes.about}>
        {[
          node.os,
          t("nodes.cores", { count: node.cpus }),
          node.agent_version && t("nodes.agent", { version: node.agent_version }),
          t("nodes.seen", { ago: ago(node.agent?.last_seen ?? node.last_seen, language) }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {node.agent && node.agent.state !== "ok" && (
        <p className={classes.notice} role="status">
          <AgentMark agent={node.agent} />
          {agentWords(node.agent, t, language)}
          {node.agent.state === "clock" && <span className="muted">{t("nodes.clock.hint")}</span>}
        </p>
      )}
      <FigureRow>
        <Figure label={t("nodes.cpu")} of={percent(node.cpu_utilization)}>
          {t("nodes.cores", { count: node.cpus })}
        </Figure>
        <Figure label={t("nodes.load")} of={plain(node.load_1m, 2)}>
          {t("nodes.load.hint")}
        </Figure>
        <Figure label={t("nodes.memory")} of={percent(memoryShare(node))}>
          {used(node.memory_used_bytes, node.memory_total_bytes)}
        </Figure>
        <Figure label={t("nodes.swap")} of={percent(swapShare(node))}>
          {node.swap_total_bytes ? used(node.swap_used_bytes, node.swap_total_bytes) : t("nodes.noSwap")}
        </Figure>
        <Figure label={t("nodes.processes")} of={count(node.processes)} />
        <Figure label={t("nodes.fileHandles")} of={count(node.file_handles)}>
          {node.file_handles_limit !== null && t("nodes.limit", { limit: text(count(node.file_handles_limit)) })}
        </Figure>
      </FigureRow>
    </>
  );
}

function Disks({ report: { node } }: { report: NodeReport }) {
  const { t } = useWords();
  if (node.filesystems.length === 0) return null;
  return (
    <Panel title={t("nodes.disks")}>
      <div className={classes.disks}>
        {node.filesystems.map(({ mountpoint, used_bytes, total_bytes, inodes_used, inodes_total }) => (
          <div key={mountpoint}>
            <span className="ellipsis mono" title={mountpoint}>
              {mountpoint}
            </span>
            <Meter
              fraction={shareOf(used_bytes, total_bytes)}
              title={mountpoint}
              detail={t("nodes.of", { used: text(bytes(used_bytes)), total: text(bytes(total_bytes)) })}
            />
            {inodes_total > 0 && (
              <Meter
                fraction={shareOf(inodes_used, inodes_total)}
                title={`${mountpoint}: ${t("nodes.inodes")}`}
                detail={t("nodes.inodesOf", { used: text(count(inodes_used)), total: text(count(inodes_total)) })}
              />
            )}
          </div>
        ))}
      </div>
    </Panel>
  );
}
