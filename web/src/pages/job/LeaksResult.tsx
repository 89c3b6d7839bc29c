import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { Loaded } from "../../parts/Loaded";
import { LeaksView } from "../../parts/profile/LeaksView";
import type { LeaksFile } from "../../parts/profile/leaks";
import { BadProfile } from "../../parts/profile/profile";
import { ChooseBefore, Compared } from "./Compared";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "leaks.json";

function read(file: Partial<LeaksFile>): LeaksFile {
  if (!Array.isArray(file.sites)) throw new BadProfile(`${NAME} has no sites`);
  const { format = "", loops = 0, bytes = 0, leaked_bytes = 0, sites, routes = [], memory = [] } = file;
  return { format, loops, bytes, leaked_bytes, sites, routes, memory };
}

/** Which lines keep memory, or what changed since another run. */
export function LeaksResult({ job }: { job: Job }) {
  const { before } = route.useSearch();
  return before === undefined ? <Alone job={job} /> : <Compared job={job} before={before} />;
}

function Alone({ job }: { job: Job }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const leaks = useArtifact(job.id, NAME, read);
  return (
    <Loaded query={leaks} skeleton={<Loading job={job} name={NAME} />}>
      {(found) => (
        <LeaksView
          leaks={found}
          search={search}
          aside={<ChooseBefore job={job} />}
          onSearch={(next) =>
            navigate({ search: (known) => ({ ...known, ...next }), replace: true, resetScroll: false })
          }
        />
      )}
    </Loaded>
  );
}
