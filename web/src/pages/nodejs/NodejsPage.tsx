import { Button, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { nodejsInstancesQuery, nodejsProcessesQuery } from "../../api/nodejs";
import type { NodejsInstance, NodejsProcess } from "../../api/nodejsTypes";
import { appsQuery } from "../../api/queries";
import { processHealth } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded, type Readable } from "../../parts/Loaded";
import { NodejsTable } from "../../parts/nodejs/NodejsTable";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { NodejsSearch } from "../../routes/nodejs";
import { Page } from "../../shell/Page";
import { TEST_IDS } from "../../testIds";
import { InstanceTable } from "./InstanceTable";

const route = getRouteApi("/in/nodejs");

interface Known {
  instances: NodejsInstance[];
  processes: NodejsProcess[];
}

/** Everything that easy-monitor's agents look after: processes, or the hosts and containers they run in. */
export default function NodejsPage() {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const instances = useQuery(nodejsInstancesQuery);
  const processes = useQuery(nodejsProcessesQuery);
  const change = (next: Partial<NodejsSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const both = useMemo<Readable<Known>>(
    () => ({
      data: instances.data && processes.data && { instances: instances.data, processes: processes.data },
      error: instances.error ?? processes.error,
      refetch: () => {
        void processes.refetch();
        return instances.refetch() as never;
      },
    }),
    [instances, processes],
  );
  return (
    <Page title={t("nav.nodejs")} tools={<Filters known={both.data} search={search} onChange={change} />}>
      <Loaded query={both} skeleton={<TableSkeleton />}>
        {(known) =>
          known.instances.length === 0 ? <NoAgent /> : <Lists known={known} search={search} onChange={change} />
        }
      </Loaded>
    </Page>
  );
}

function NoAgent() {
  const { t } = useWords();
  return (
    <Panel>
      <Empty title={t("nodejs.empty")}>
        <p style={{ margin: "0 0 12px" }}>{t("nodejs.empty.hint")}</p>
        <Button size="xs" renderRoot={(props) => <Link to="/connect" search={{ kind: "nodejs" }} {...props} />}>
          {t("connect.title")}
        </Button>
      </Empty>
    </Panel>
  );
}

interface PartProps {
  search: NodejsSearch;
  onChange: (next: Partial<NodejsSearch>) => void;
}

function Filters({ known, search, onChange }: PartProps & { known: Known | undefined }) {
  const { t } = useWords();
  const apps = useQuery(appsQuery);
  const choices = useMemo(() => {
    const ids = [...new Set([...(known?.instances ?? []).map(({ app }) => app), ...(search.app ? [search.app] : [])])];
    return ids.map((id) => ({ value: id, label: apps.data?.find((one) => one.id === id)?.name ?? id }));
  }, [known, search.app, apps.data]);
  return (
    <>
      <SegmentedControl
        size="xs"
        value={search.view ?? "processes"}
        onChange={(view) => onChange({ view: view === "instances" ? "instances" : undefined, sort: undefined })}
        data={[
          { value: "processes", label: t("nodejs.processes") },
          { value: "instances", label: t("figure.instances") },
        ]}
      />
      {choices.length > 1 || search.app ? (
        <Select
          size="xs"
          w={180}
          clearable
          searchable
          aria-label={t("tools.app")}
          placeholder={t("tools.anyApp")}
          data={choices}
          value={search.app ?? null}
          onChange={(value) => onChange({ app: value ?? undefined })}
        />
      ) : null}
      <SearchField
        label={t("nodejs.search")}
        value={search.q ?? ""}
        onChange={(words) => onChange({ q: words || undefined })}
      />
      <Button
        size="xs"
        variant="default"
        ml="auto"
        renderRoot={(props) => (
          <Link to="/nodejs/files" search={{ app: search.app }} data-testid={TEST_IDS.nodejsFilesLink} {...props} />
        )}
      >
        {t("nodejs.files")}
      </Button>
    </>
  );
}

function Lists({ known, search, onChange }: PartProps & { known: Known }) {
  const { t } = useWords();
  const apps = useQuery(appsQuery);
  const words = (search.q ?? "").toLowerCase();
  const nameOf = (id: string) => apps.data?.find((one) => one.id === id)?.name ?? id;
  const isWanted = (app: string, ...texts: string[]) =>
    (!search.app || app === search.app) && [nameOf(app), ...texts].join(" ").toLowerCase().includes(words);
  const instances = known.instances.filter(({ app, agent }) => isWanted(app, agent));
  const processes = known.processes.filter(({ app, agent, command, pid }) =>
    isWanted(app, agent, command, String(pid)),
  );
  const shown = search.view === "instances" ? instances : processes;
  const bad = processes.filter((one) => processHealth(one) === "error").length;
  return (
    <Panel
      flush
      title={
        search.view === "instances"
          ? t("nodejs.instances.count", { count: instances.length })
          : t("nodejs.processes.count", { count: processes.length })
      }
      aside={
        search.view !== "instances" &&
        bad > 0 && (
          <span>
            <HealthMark health="error" label={t("nodejs.health.error")} /> {t("nodejs.bad", { count: bad })}
          </span>
        )
      }
    >
      {shown.length === 0 ? (
        <Empty
          title={
            search.q || search.app
              ? t("overview.noMatch", { words: search.q ?? nameOf(search.app ?? "") })
              : t("nodejs.silent")
          }
        >
          {!search.q && !search.app && t("nodejs.silent.hint")}
        </Empty>
      ) : search.view === "instances" ? (
        <InstanceTable
          instances={instances}
          processes={known.processes}
          appName={nameOf}
          sort={search.sort ?? "agent"}
          onSort={(sort) => onChange({ sort })}
        />
      ) : (
        <NodejsTable
          processes={processes}
          appName={nameOf}
          sort={search.sort ?? "health"}
          onSort={(sort) => onChange({ sort })}
        />
      )}
    </Panel>
  );
}
