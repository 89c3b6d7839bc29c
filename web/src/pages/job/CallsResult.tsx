import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { readOneOf } from "../../domain/search";
import { toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { CALLS_VIEWS, CallsView } from "../../parts/profile/CallsView";
import { callsOf } from "../../parts/profile/calls";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "calls.json";

/** Who called whom, counted. */
export function CallsResult({ job }: { job: Job }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const calls = useArtifact(job.id, NAME, callsOf);
  return (
    <Loaded query={calls} skeleton={<Loading job={job} name={NAME} />}>
      {(read) => (
        <CallsView
          title={toolName(t, job.tool)}
          calls={read}
          search={{ ...search, view: readOneOf(search.view, CALLS_VIEWS) }}
          onSearch={(next) =>
            navigate({ search: (known) => ({ ...known, ...next }), replace: !("fn" in next), resetScroll: false })
          }
        />
      )}
    </Loaded>
  );
}
