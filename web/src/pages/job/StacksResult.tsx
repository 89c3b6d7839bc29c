import { getRouteApi } from "@tanstack/react-router";

import type { Job, JobDocument } from "../../api/types";
import { Loaded } from "../../parts/Loaded";
import { BadProfile } from "../../parts/profile/profile";
import { StacksView } from "../../parts/profile/StacksView";
import type { StacksFile } from "../../parts/profile/stacks";
import { Loading } from "./Loading";
import { useArtifact } from "./useArtifact";

const route = getRouteApi("/in/tools/runs/$job");
const NAME = "stacks.json";

function read(file: Partial<StacksFile>): Pick<StacksFile, "threads" | "loops"> {
  if (!Array.isArray(file.threads)) throw new BadProfile(`${NAME} has no threads`);
  return { threads: file.threads, loops: file.loops ?? [] };
}

/** What the process was doing. One that was stuck answered in few words: then the summary is all there is. */
export function StacksResult({ job, document }: { job: Job; document: JobDocument }) {
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const hasFile = job.artifacts.some(({ name }) => name === NAME);
  const file = useArtifact(hasFile ? job.id : undefined, NAME, read);
  const onSearch = (words: string) =>
    navigate({ search: (known) => ({ ...known, q: words || undefined }), replace: true, resetScroll: false });
  if (!hasFile) return <StacksView stacks={read(document.summary)} search={q} onSearch={onSearch} />;
  return (
    <Loaded query={file} skeleton={<Loading job={job} name={NAME} />}>
      {(stacks) => <StacksView stacks={stacks} search={q} onSearch={onSearch} />}
    </Loaded>
  );
}
