import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import { nodejsApi, nodejsCoresQuery } from "../../api/nodejs";
import type { NodejsCore } from "../../api/nodejsTypes";
import { ago, moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { TableSkeleton } from "../../parts/Skeletons";
import { useMayChange } from "../../shell/useMayChange";

/** Core files that lie on the host, and a button to fetch each. */
export function Cores({ name }: { name: { app: string; agent: string } }) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const mayChange = useMayChange();
  const cores = useQuery(nodejsCoresQuery(name));
  const fetchCore = useMutation({
    mutationFn: (path: string) => nodejsApi.fetchCore(name, path),
    onSuccess: (file) => {
      void queryClient.invalidateQueries({ queryKey: ["nodejs", "files"] });
      void navigate({ to: "/nodejs/files/$id", params: { id: String(file.id) } });
    },
  });
  const { mutate, isPending, variables } = fetchCore;
  const columns = useMemo<Column<NodejsCore>[]>(
    () => [
      { key: "path", header: t("job.file"), cell: ({ core_path }) => <Name mono>{core_path}</Name> },
      {
        key: "executable",
        header: t("nodejs.executable"),
        width: 220,
        cell: ({ executable_path }) => <Name mono>{executable_path}</Name>,
      },
      { key: "node", header: "Node.js", width: 110, cell: ({ node_version }) => node_version },
      {
        key: "seen",
        header: t("nodejs.firstSeen"),
        width: 124,
        align: "right",
        cell: ({ first_seen }) => (
          <span className="muted" title={moment(first_seen)}>
            {ago(first_seen, language)}
          </span>
        ),
      },
      {
        key: "fetch",
        header: "",
        width: 110,
        align: "right",
        cell: ({ core_path }) =>
          mayChange && (
            <Button
              size="compact-xs"
              variant="default"
              loading={isPending && variables === core_path}
              onClick={() => mutate(core_path)}
            >
              {t("nodejs.transfer")}
            </Button>
          ),
      },
    ],
    [t, language, mayChange, mutate, isPending, variables],
  );
  return (
    <Loaded query={cores} skeleton={<TableSkeleton rows={4} />}>
      {(all) => (
        <Panel flush title={t("nodejs.view.cores")}>
          <Refused error={fetchCore.error} />
          {all.length === 0 ? (
            <Empty title={t("nodejs.noCoreFiles")}>{t("nodejs.noCoreFiles.hint")}</Empty>
          ) : (
            <DataTable
              label={t("nodejs.view.cores")}
              columns={columns}
              rows={all}
              rowKey={({ core_path }) => core_path}
              rowHeight={34}
              restWidth={220}
            />
          )}
        </Panel>
      )}
    </Loaded>
  );
}
