import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";

import { appsQuery, processesQuery } from "../../api/queries";
import type { Process } from "../../api/types";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { ToolsSearch } from "../../routes/tools";
import { Page } from "../../shell/Page";
import { NoProcess } from "./NoProcess";
import { ProcessPanel } from "./ProcessPanel";
import { ProcessTable } from "./ProcessTable";
import { choicesOf, processKey, wantedProcesses } from "./processKey";
import { RunList } from "./RunList";
import classes from "./ToolsPage.module.css";

const route = getRouteApi("/in/tools");

/** Choose a process, start a tool in it, look at what ran before. */
export default function ToolsPage() {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const processes = useQuery(processesQuery());
  const change = (next: Partial<ToolsSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const all = processes.data;
  const chosen = useMemo(() => all?.find((process) => processKey(process) === search.process), [all, search.process]);
  return (
    <Page title={t("nav.tools")} tools={<Filters processes={all ?? []} search={search} onChange={change} />}>
      <Loaded query={processes} skeleton={<TableSkeleton />}>
        {(found) =>
          found.length === 0 ? (
            <Panel>
              <NoProcess />
            </Panel>
          ) : (
            <>
              <Processes processes={found} search={search} onChange={change} />
              {search.process && (
                <ProcessPanel
                  key={search.process}
                  process={chosen}
                  tool={search.tool}
                  onTool={(tool) => change({ tool })}
                  onClose={() => change({ process: undefined, tool: undefined, own: undefined })}
                />
              )}
            </>
          )
        }
      </Loaded>
      <RunList search={search} process={chosen} onChange={change} />
    </Page>
  );
}

interface PartProps {
  processes: readonly Process[];
  search: ToolsSearch;
  onChange: (next: Partial<ToolsSearch>) => void;
}

function Filters({ processes, search, onChange }: PartProps) {
  const { t } = useWords();
  const { app, node } = search;
  const apps = useQuery(appsQuery);
  const nameOf = (id: string) => apps.data?.find((one) => one.id === id)?.name ?? id;
  // each choice leaves those that there still are
  const ofApp = useMemo(() => wantedProcesses(processes, { app }), [processes, app]);
  const ofNode = useMemo(() => wantedProcesses(ofApp, { node }), [ofApp, node]);
  const select = { size: "xs", clearable: true, searchable: true, className: classes.filter } as const;
  const gone = { process: undefined, tool: undefined, own: undefined };
  return (
    <>
      <Select
        {...select}
        aria-label={t("tools.app")}
        placeholder={t("tools.anyApp")}
        data={withChosen(
          choicesOf(processes, (one) => ({ value: one.app, label: nameOf(one.app) })),
          app,
        )}
        value={app ?? null}
        onChange={(value) => onChange({ app: value ?? undefined, ...gone })}
      />
      <Select
        {...select}
        aria-label={t("tools.node")}
        placeholder={t("tools.anyNode")}
        data={withChosen(
          choicesOf(ofApp, (one) => ({ value: one.node, label: one.host || one.node })),
          node,
        )}
        value={node ?? null}
        onChange={(value) => onChange({ node: value ?? undefined, ...gone })}
      />
      <Select
        {...select}
        aria-label={t("service")}
        placeholder={t("tools.anyService")}
        data={withChosen(
          choicesOf(ofNode, (one) => ({ value: one.service, label: one.service })),
          search.service,
        )}
        value={search.service ?? null}
        onChange={(value) => onChange({ service: value ?? undefined, ...gone })}
      />
      <SearchField
        label={t("tools.search")}
        value={search.q ?? ""}
        onChange={(words) => onChange({ q: words || undefined })}
      />
    </>
  );
}

/** A choice from an address may be of something that is not connected now. */
function withChosen(choices: { value: string; label: string }[], chosen: string | undefined) {
  const known = choices.filter(({ value }) => value !== "");
  if (!chosen || known.some(({ value }) => value === chosen)) return known;
  return [...known, { value: chosen, label: chosen }];
}

function Processes({ processes, search, onChange }: PartProps) {
  const { t } = useWords();
  const { app, service, node, q } = search;
  const shown = useMemo(
    () => wantedProcesses(processes, { app, service, node, q }),
    [processes, app, service, node, q],
  );
  return (
    <Panel title={t("tools.processes", { count: shown.length })} flush>
      {shown.length === 0 ? (
        <Empty title={t("overview.noMatch", { words: [service, app, node, q].filter(Boolean).join(" ") })}>
          <Button
            size="xs"
            variant="default"
            onClick={() => onChange({ app: undefined, service: undefined, node: undefined, q: undefined })}
          >
            {t("traces.clear")}
          </Button>
        </Empty>
      ) : (
        <ProcessTable
          processes={shown}
          sort={search.sort ?? "service"}
          onSort={(sort) => onChange({ sort })}
          chosen={search.process}
          onChoose={(key) => onChange({ process: key })}
        />
      )}
    </Panel>
  );
}
