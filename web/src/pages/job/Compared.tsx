import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { comparisonQuery } from "../../api/comparisons";
import type { Job } from "../../api/types";
import { toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { HeapChanges } from "../../parts/profile/HeapChanges";
import { LeakChanges } from "../../parts/profile/LeakChanges";
import { TableSkeleton } from "../../parts/Skeletons";
import { Beside } from "./Beside";
import { CompareChoice } from "./CompareChoice";

const route = getRouteApi("/in/tools/runs/$job");

/** Lets another run be chosen; its address says which. */
export function ChooseBefore({ job }: { job: Job }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <CompareChoice
      job={job}
      chosen={search.before}
      onChoose={(id) =>
        navigate({
          search: (known) => ({ ...known, before: id, view: undefined, sort: undefined, fn: undefined }),
          resetScroll: false,
        })
      }
    />
  );
}

/** This run of `heap` or `leaks` beside an earlier one. */
export function Compared({ job, before }: { job: Job; before: string }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const comparison = useQuery(comparisonQuery(job.id, before));
  const title = t("compare.title", { tool: toolName(t, job.tool) });
  const shared = {
    title,
    search,
    onSearch: (next: object) =>
      navigate({ search: (known) => ({ ...known, ...next }), replace: true, resetScroll: false }),
    aside: <ChooseBefore job={job} />,
  };
  const waiting = (content: ReactNode) => (
    <Panel title={title} aside={shared.aside}>
      {content}
    </Panel>
  );
  if (comparison.data === undefined)
    return waiting(
      <Loaded query={comparison} skeleton={<TableSkeleton />}>
        {() => null}
      </Loaded>,
    );
  const { heap, leaks, before: then } = comparison.data;
  return (
    <>
      <Beside run={then} job={job} />
      {heap && <HeapChanges comparison={heap} {...shared} />}
      {leaks && <LeakChanges comparison={leaks} {...shared} />}
    </>
  );
}
