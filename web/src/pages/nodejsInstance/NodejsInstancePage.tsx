import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { nodejsInstancesQuery, nodejsOsQuery, nodejsProcessesOfQuery } from "../../api/nodejs";
import { appsQuery } from "../../api/queries";
import { ago, duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { NodejsTable } from "../../parts/nodejs/NodejsTable";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { INSTANCE_VIEWS, type NodejsInstanceSearch } from "../../routes/nodejs";
import { Page } from "../../shell/Page";
import { Cores } from "./Cores";
import { Errors } from "./Errors";
import classes from "./NodejsInstancePage.module.css";
import { Packages } from "./Packages";
import { SystemCharts } from "./SystemCharts";

const route = getRouteApi("/in/nodejs/$app/$agent");

export type OnChange = (next: Partial<NodejsInstanceSearch>) => void;

/** One host or container: its processes, how it does, its errors, packages and cores. */
export default function NodejsInstancePage() {
  const { t } = useWords();
  const name = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change: OnChange = (next) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const view = search.view ?? "processes";
  return (
    <Page
      title={name.agent}
      heading={
        <Breadcrumb
          parent={
            <Link to="/nodejs" className="link">
              {t("nav.nodejs")}
            </Link>
          }
          name={name.agent}
        />
      }
      tools={
        <div className={classes.views}>
          <SegmentedControl
            size="xs"
            value={view}
            onChange={(chosen) =>
              change({
                view: INSTANCE_VIEWS.find((one) => one === chosen && one !== "processes"),
                q: undefined,
                sort: undefined,
                file: undefined,
              })
            }
            data={INSTANCE_VIEWS.map((value) => ({ value, label: t(`nodejs.view.${value}`) }))}
          />
        </div>
      }
    >
      <About />
      {view === "processes" && <Processes search={search} onChange={change} />}
      {view === "system" && <SystemCharts name={name} />}
      {view === "errors" && <Errors name={name} search={search} onChange={change} />}
      {view === "packages" && <Packages name={name} search={search} onChange={change} />}
      {view === "cores" && <Cores name={name} />}
    </Page>
  );
}

function About() {
  const { t, language } = useWords();
  const name = route.useParams();
  const instances = useQuery(nodejsInstancesQuery);
  const apps = useQuery(appsQuery);
  const instance = instances.data?.find(({ app, agent }) => app === name.app && agent === name.agent);
  const os = useQuery({ ...nodejsOsQuery(name), enabled: instance?.connected === true });
  const offset = instance?.clock_offset_ms ?? null;
  return (
    <p className={classes.about}>
      {instance && (
        <span>
          <HealthMark
            health={instance.connected ? "ok" : "idle"}
            label={t(instance.connected ? "nodejs.connected" : "nodejs.away")}
          />{" "}
          {instance.connected
            ? t("nodejs.connected")
            : `${t("nodejs.away")}, ${t("nodes.seen", { ago: ago(instance.last_seen, language) })}`}
        </span>
      )}
      <span>{t("nodejs.app", { name: apps.data?.find(({ id }) => id === name.app)?.name ?? name.app })}</span>
      {instance?.agent_version && <span>xtransit {instance.agent_version}</span>}
      {os.data && (
        <>
          <span>Node.js {os.data.node_version}</span>
          <span className={classes.os}>{os.data.os}</span>
          <span>
            {os.data.core_limit === "0" ? t("nodejs.noCores") : t("nodejs.coreLimit", { limit: os.data.core_limit })}
          </span>
        </>
      )}
      {offset !== null && Math.abs(offset) > 30_000 && (
        <span className={classes.warning}>{t("nodejs.clockOff", { duration: text(duration(Math.abs(offset))) })}</span>
      )}
      <Link to="/nodejs/files" search={{ app: name.app, agent: name.agent }} className="link" preload={false}>
        {t("nodejs.files")}
      </Link>
    </p>
  );
}

function Processes({ search, onChange }: { search: NodejsInstanceSearch; onChange: OnChange }) {
  const { t } = useWords();
  const name = route.useParams();
  const processes = useQuery(nodejsProcessesOfQuery(name));
  return (
    <Loaded query={processes} skeleton={<TableSkeleton />}>
      {(all) => (
        <Panel flush title={t("nodejs.processes.count", { count: all.length })}>
          {all.length === 0 ? (
            <Empty title={t("nodejs.silent")}>{t("nodejs.silent.hint")}</Empty>
          ) : (
            <NodejsTable
              processes={all}
              sort={search.sort ?? "health"}
              onSort={(sort) => onChange({ sort })}
              maxHeight="calc(100dvh - 210px)"
            />
          )}
        </Panel>
      )}
    </Loaded>
  );
}
