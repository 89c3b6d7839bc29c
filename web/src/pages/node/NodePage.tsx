import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { nodeQuery } from "../../api/queries";
import type { NodeReport } from "../../api/types";
import { ago, bytes, percent, plain, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Meter } from "../../parts/Meter";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { memoryShare, shareOf, swapShare } from "../nodes/fractions";
import { NodeCharts } from "./NodeCharts";
import classes from "./NodePage.module.css";
import { NodeProcesses } from "./NodeProcesses";

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
            <NodeProcesses node={data.node.host_id} />
            <Disks report={data} />
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
          t("nodes.seen", { ago: ago(node.last_seen, language) }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
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
        <Figure label={t("nodes.processes")} of={plain(node.processes, 0)} />
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
        {node.filesystems.map(({ mountpoint, used_bytes, total_bytes }) => (
          <div key={mountpoint}>
            <span className="ellipsis mono" title={mountpoint}>
              {mountpoint}
            </span>
            <Meter
              fraction={shareOf(used_bytes, total_bytes)}
              title={mountpoint}
              detail={t("nodes.of", { used: text(bytes(used_bytes)), total: text(bytes(total_bytes)) })}
            />
          </div>
        ))}
      </div>
    </Panel>
  );
}
