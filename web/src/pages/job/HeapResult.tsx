import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { HeapView } from "../../parts/profile/HeapView";
import type { HeapFile } from "../../parts/profile/heap";
import { BadProfile } from "../../parts/profile/profile";
import { ChooseBefore, Compared } from "./Compared";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "heap.json";

function read(file: HeapFile): HeapFile {
  if (!Array.isArray(file.types)) throw new BadProfile(`${NAME} has no types`);
  return { ...file, largest: file.largest ?? [] };
}

/** What fills memory, or what changed since another run. */
export function HeapResult({ job }: { job: Job }) {
  const { before } = route.useSearch();
  return before === undefined ? <Alone job={job} /> : <Compared job={job} before={before} />;
}

function Alone({ job }: { job: Job }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const heap = useArtifact(job.id, NAME, read);
  return (
    <Loaded query={heap} skeleton={<Loading job={job} name={NAME} />}>
      {(found) => (
        <HeapView
          title={toolName(t, job.tool)}
          heap={found}
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
