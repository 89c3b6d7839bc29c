import { Checkbox, Loader, NativeSelect } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import type { JobFilter } from "../../api/endpoints";
import { jobsQuery, toolsQuery } from "../../api/queries";
import type { Job, JobState, Process } from "../../api/types";
import { inOrder, toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { RunTable } from "../../parts/RunTable";
import { TableSkeleton } from "../../parts/Skeletons";
import type { ToolsSearch } from "../../routes/tools";
import classes from "./ToolsPage.module.css";

interface Props {
  search: ToolsSearch;
  process: Process | undefined;
  onChange: (next: Partial<ToolsSearch>) => void;
}

const STATES: readonly JobState[] = ["waiting", "running", "done", "failed", "cancelled"];

/** What ran before, newest first; more comes with scrolling. */
export function RunList({ search, process, onChange }: Props) {
  const { t } = useWords();
  const { app, service, node, ran, state, own } = search;
  const pid = own ? process?.pid : undefined;
  const filter = useMemo<JobFilter>(
    () => ({ app, service, node: own ? process?.node : node, tool: ran, state, pid }),
    [app, service, node, own, process?.node, ran, state, pid],
  );
  const jobs = useInfiniteQuery(jobsQuery(filter));
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = jobs;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const rows = useMemo(() => jobs.data?.pages.flatMap(({ items }) => items), [jobs.data]);
  const query = { data: rows, error: jobs.error, refetch: jobs.refetch };
  const filtered = Boolean(app || service || node || ran || state || pid);
  return (
    <Panel title={t("runs.title")} flush aside={<RunFilters search={search} process={process} onChange={onChange} />}>
      <Loaded query={query as Parameters<typeof Loaded<Job[]>>[0]["query"]} skeleton={<TableSkeleton rows={4} />}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={t(filtered ? "runs.noMatch" : "runs.none")} />
          ) : (
            <RunTable
              jobs={found}
              onEnd={onEnd}
              foot={
                isFetchingNextPage ? (
                  <Loader size="xs" />
                ) : hasNextPage ? undefined : (
                  t("runs.all", { count: found.length })
                )
              }
            />
          )
        }
      </Loaded>
    </Panel>
  );
}

function RunFilters({ search, process, onChange }: Props) {
  const { t } = useWords();
  const tools = useQuery(toolsQuery);
  return (
    <span className={classes.runFilters}>
      {process && (
        <Checkbox
          size="xs"
          label={t("runs.own")}
          checked={search.own === true}
          onChange={(event) => onChange({ own: event.currentTarget.checked || undefined })}
        />
      )}
      <NativeSelect
        size="xs"
        className={classes.runFilter}
        aria-label={t("runs.tool")}
        value={search.ran ?? ""}
        onChange={(event) => onChange({ ran: event.currentTarget.value || undefined })}
        data={[
          { value: "", label: t("runs.anyTool") },
          ...inOrder(tools.data ?? []).map(({ name }) => ({ value: name, label: toolName(t, name) })),
        ]}
      />
      <NativeSelect
        size="xs"
        className={classes.runFilter}
        aria-label={t("runs.state")}
        value={search.state ?? ""}
        onChange={(event) => onChange({ state: (event.currentTarget.value || undefined) as JobState | undefined })}
        data={[
          { value: "", label: t("runs.anyState") },
          ...STATES.map((value) => ({ value, label: t(`job.state.${value}`) })),
        ]}
      />
    </span>
  );
}
