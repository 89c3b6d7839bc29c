import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { processesQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { ProcessTable } from "../tools/ProcessTable";

/** The processes of a host that tools can look into; nothing where there are none. */
export function NodeProcesses({ node }: { node: string }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const [sort, setSort] = useState("service");
  const processes = useQuery(processesQuery({ node }));
  if (!processes.data?.length) return null;
  return (
    <Panel title={t("tools.processes", { count: processes.data.length })} flush>
      <ProcessTable
        processes={processes.data}
        sort={sort}
        onSort={setSort}
        chosen={undefined}
        onChoose={(process) => navigate({ to: "/tools", search: { node, process } })}
      />
    </Panel>
  );
}
