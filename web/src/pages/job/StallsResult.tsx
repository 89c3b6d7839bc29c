import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { Loaded } from "../../parts/Loaded";
import { BadProfile } from "../../parts/profile/profile";
import { StallsView } from "../../parts/profile/StallsView";
import type { StallsFile } from "../../parts/profile/stalls";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "stalls.json";

function read(file: StallsFile): StallsFile {
  if (!Array.isArray(file.stalls) || !Array.isArray(file.lines)) throw new BadProfile(`${NAME} has no stalls`);
  return file;
}

/** What kept the loop from turning. */
export function StallsResult({ job }: { job: Job }) {
  const { q, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const stalls = useArtifact(job.id, NAME, read);
  return (
    <Loaded query={stalls} skeleton={<Loading job={job} name={NAME} />}>
      {(found) => (
        <StallsView
          stalls={found}
          search={{ q, sort }}
          onSearch={(next) =>
            navigate({ search: (known) => ({ ...known, ...next }), replace: true, resetScroll: false })
          }
        />
      )}
    </Loaded>
  );
}
