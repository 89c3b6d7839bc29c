import { getRouteApi } from "@tanstack/react-router";

import type { Job } from "../../api/types";
import { Loaded } from "../../parts/Loaded";
import { BadProfile } from "../../parts/profile/profile";
import { type SyscallsFile, SyscallsView } from "../../parts/profile/SyscallsView";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "syscalls.json";

function read(file: SyscallsFile): SyscallsFile {
  if (!Array.isArray(file.lines) || !Array.isArray(file.calls)) throw new BadProfile(`${NAME} has no calls`);
  return file;
}

/** Which system calls took long. */
export function SyscallsResult({ job }: { job: Job }) {
  const { q, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const syscalls = useArtifact(job.id, NAME, read);
  return (
    <Loaded query={syscalls} skeleton={<Loading job={job} name={NAME} />}>
      {(found) => (
        <SyscallsView
          syscalls={found}
          search={{ q, sort }}
          onSearch={(next) =>
            navigate({ search: (known) => ({ ...known, ...next }), replace: true, resetScroll: false })
          }
        />
      )}
    </Loaded>
  );
}
