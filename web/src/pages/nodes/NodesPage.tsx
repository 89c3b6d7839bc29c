import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { nodesQuery } from "../../api/nodes";
import { agentCommand } from "../../domain/commands";
import { useWords } from "../../i18n";
import { Command } from "../../parts/Command";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { NodeTable } from "./NodeTable";

const route = getRouteApi("/in/nodes");

/** The hosts that have an agent. */
export default function NodesPage() {
  const { t } = useWords();
  const { q, sort = "host" } = route.useSearch();
  const navigate = route.useNavigate();
  const nodes = useQuery(nodesQuery);
  const change = (next: { q?: string; sort?: string }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Page
      title={t("nav.nodes")}
      tools={
        <SearchField
          label={t("nodes.search")}
          value={q ?? ""}
          onChange={(words) => change({ q: words || undefined })}
        />
      }
    >
      <Loaded query={nodes} skeleton={<TableSkeleton />}>
        {(all) => {
          const shown = all.filter(({ host }) => host.toLowerCase().includes((q ?? "").toLowerCase()));
          return (
            <Panel flush>
              {all.length === 0 ? (
                <Empty title={t("nodes.empty")}>
                  <p style={{ margin: "0 0 12px" }}>{t("nodes.empty.hint")}</p>
                  <Command>{agentCommand(window.location.origin)}</Command>
                </Empty>
              ) : shown.length === 0 ? (
                <Empty title={t("overview.noMatch", { words: q ?? "" })} />
              ) : (
                <NodeTable nodes={shown} sort={sort} onSort={(next) => change({ sort: next })} />
              )}
            </Panel>
          );
        }}
      </Loaded>
    </Page>
  );
}
