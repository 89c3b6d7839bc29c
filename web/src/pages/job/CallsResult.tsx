import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { readOneOf } from "../../domain/search";
import { toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { CallChanges } from "../../parts/profile/CallChanges";
import { CALLS_VIEWS, CallsView } from "../../parts/profile/CallsView";
import { callsOf } from "../../parts/profile/calls";
import { BesideId } from "./Beside";
import { ChooseBefore } from "./Compared";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "calls.json";

/** Who called whom, counted; alone or beside an earlier run. */
export function CallsResult({ job }: { job: Job }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const calls = useArtifact(job.id, NAME, callsOf);
  const earlier = useArtifact(search.before, NAME, callsOf);
  const shared = {
    search: { ...search, view: readOneOf(search.view, CALLS_VIEWS) },
    onSearch: (next: object) =>
      navigate({ search: (known) => ({ ...known, ...next }), replace: !("fn" in next), resetScroll: false }),
    aside: <ChooseBefore job={job} />,
  };
  return (
    <Loaded query={calls} skeleton={<Loading job={job} name={NAME} />}>
      {(now) =>
        search.before !== undefined ? (
          <>
            <BesideId id={search.before} job={job} />
            <Loaded query={earlier} skeleton={<Loading job={job} name={NAME} />}>
              {(before) => (
                <CallChanges
                  title={t("compare.title", { tool: toolName(t, job.tool) })}
                  before={before}
                  now={now}
                  {...shared}
                />
              )}
            </Loaded>
          </>
        ) : (
          <CallsView title={toolName(t, job.tool)} calls={now} {...shared} />
        )
      }
    </Loaded>
  );
}
