import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { nodejsProcessesOfQuery, nodejsStatusQuery } from "../../api/nodejs";
import type { NodejsProcess, NodejsProcessName } from "../../api/nodejsTypes";
import { ago, bytes, count, duration, percent, rate, text } from "../../domain/format";
import { cpuHealth, gcHealth, heapHealth, heapShare, processHealth } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Empty } from "../../parts/Empty";
import { Figure, FigureRow } from "../../parts/Figure";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import type { NodejsProcessSearch } from "../../routes/nodejs";
import { Page } from "../../shell/Page";
import { FileList } from "../nodejsFiles/FileList";
import { Actions } from "./Actions";
import { Config } from "./Config";
import classes from "./NodejsProcessPage.module.css";
import { ProcessCharts } from "./ProcessCharts";

const route = getRouteApi("/in/nodejs/$app/$agent/$pid");

/** One Node.js process: how it does, what can be made of it, what was made. */
export default function NodejsProcessPage() {
  const { t } = useWords();
  const { app, agent, pid: pidText } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const name: NodejsProcessName = { app, agent, pid: Number(pidText) };
  const processes = useQuery(nodejsProcessesOfQuery(name));
  const change = (next: Partial<NodejsProcessSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Page
      title={`${agent} ${pidText}`}
      heading={
        <Breadcrumb
          parent={
            <>
              <Link to="/nodejs" className="link">
                {t("nav.nodejs")}
              </Link>
              <span className="muted"> / </span>
              <Link to="/nodejs/$app/$agent" params={{ app, agent }} className="link" preload={false}>
                <span className={classes.agent}>{agent}</span>
              </Link>
            </>
          }
          name={t("job.pid", { pid: pidText })}
        />
      }
    >
      <Loaded query={processes} skeleton={<ReportSkeleton />}>
        {(all) => {
          const process = all.find(({ pid }) => pid === name.pid);
          if (!process) {
            return (
              <Panel>
                <Empty title={t("nodejs.gone")}>{t("nodejs.gone.hint")}</Empty>
              </Panel>
            );
          }
          return (
            <>
              <About process={process} />
              {process.reports ? <Figures process={process} /> : <NotReporting name={name} />}
              {process.reports && process.alive && (
                <Actions
                  name={name}
                  duration_s={search.duration}
                  onDuration={(duration_s) => change({ duration: duration_s })}
                />
              )}
              <FileList filter={name} title={t("nodejs.files")} isShort />
              {process.reports && (
                <ProcessCharts
                  name={name}
                  thread={search.thread ?? 0}
                  onThread={(thread) => change({ thread: thread || undefined })}
                />
              )}
              {process.reports && process.alive && <Config name={name} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function About({ process }: { process: NodejsProcess }) {
  const { t, language } = useWords();
  const health = processHealth(process);
  const label = t(process.alive ? `nodejs.health.${health}` : "nodejs.ended", {
    ago: process.last_seen ? ago(process.last_seen, language) : "",
  });
  return (
    <p className={classes.about}>
      <span>
        <HealthMark health={health} label={label} /> {label}
      </span>
      {process.command && <code className={classes.command}>{process.command}</code>}
      {process.started_at && <span>{t("nodejs.startedAgo", { ago: ago(process.started_at, language) })}</span>}
    </p>
  );
}

const toneOf = (health: ReturnType<typeof cpuHealth>) => (health === "warn" || health === "error" ? health : undefined);
const fraction = (value: number | null) => (value === null ? null : value / 100);

function Figures({ process }: { process: NodejsProcess }) {
  const { t } = useWords();
  const share = heapShare(process);
  return (
    <FigureRow>
      <Figure
        label={t("nodes.cpu")}
        of={percent(fraction(process.cpu_percent))}
        tone={toneOf(cpuHealth(process.cpu_percent))}
      >
        {t("nodejs.cpu60", { share: text(percent(fraction(process.cpu_60_percent))) })}
      </Figure>
      <Figure label={t("nodejs.heap")} of={bytes(process.heap_used_bytes)} tone={toneOf(heapHealth(share))}>
        {t("nodejs.ofLimit", { share: text(percent(share)), limit: text(bytes(process.heap_limit_bytes)) })}
      </Figure>
      <Figure label="RSS" of={bytes(process.rss_bytes)} />
      <Figure
        label={t("nodejs.gc")}
        of={percent(fraction(process.gc_percent))}
        tone={toneOf(gcHealth(process.gc_percent))}
      >
        {t("nodejs.gc.hint")}
      </Figure>
      <Figure label={t("nodejs.handles")} of={count(process.active_handles)} />
      <Figure label={t("figure.traffic")} of={rate(process.requests_per_s)} />
      <Figure label={t("nodejs.latency")} of={duration(process.response_average_ms)} />
    </FigureRow>
  );
}

/** It runs, and nothing is known of it: what the agent finds is what helps. */
function NotReporting({ name }: { name: NodejsProcessName }) {
  const { t } = useWords();
  const status = useQuery(nodejsStatusQuery(name));
  const found = status.data;
  return (
    <Panel title={t("nodejs.unreported")}>
      <p className={classes.text}>{t("nodejs.unreported.hint")}</p>
      {status.error && <p className={classes.text}>{status.error.message}</p>}
      {found && (
        <dl className={classes.facts}>
          <Fact name="Node.js">{found.node_version}</Fact>
          <Fact name="xprofiler">
            {found.xprofiler_installed ? found.xprofiler_version || t("nodejs.yes") : t("nodejs.notInstalled")}
          </Fact>
          <Fact name={t("nodejs.switchedOn")}>{t(found.xprofiler_enabled ? "nodejs.yes" : "nodejs.no")}</Fact>
          <Fact name={t("nodejs.itsFolder")}>{found.xprofiler_log_dir || "–"}</Fact>
          <Fact name={t("nodejs.agentFolder")}>{found.agent_log_dir || "–"}</Fact>
        </dl>
      )}
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
