import type { Job, JobDocument } from "../../api/types";
import { useWords } from "../../i18n";
import { noteText } from "../../i18n/notes";
import { Panel } from "../../parts/Panel";
import { SummaryView } from "../../parts/profile/SummaryView";
import { CallsResult } from "./CallsResult";
import { HeapResult } from "./HeapResult";
import classes from "./JobPage.module.css";
import { LeaksResult } from "./LeaksResult";
import { ProfileResult } from "./ProfileResult";
import { StacksResult } from "./StacksResult";
import { StallsResult } from "./StallsResult";
import { SyscallsResult } from "./SyscallsResult";

/** What of a summary the pictures show better, and what only the tool's makers read: the files have it all. */
const LEFT_OUT: Record<string, readonly string[]> = {
  cpu: [
    ...["functions", "rounds", "missed", "idle", "elsewhere", "torn", "dropped", "cut"],
    ...["dropped_ns", "weight_ns", "native"],
  ],
  calls: ["functions", "top_exclusive", "top_inclusive"],
  syscalls: ["lines", "slots", "libraries"],
  stalls: ["lines", "loops", "causes.", "gc.collections", "gc.ns"],
  stacks: ["threads", "loops", "format", "way", "thread_count"],
  leaks: ["sites", "routes", "exact"],
  heap: ["types", "retained", "largest", "roots", "grown_types", "holders", "left_out", "unreached"],
};

/** What a run found: its pictures, where its tool has any, then its summary, then what to know about it. */
export function JobResult({ job, document }: { job: Job; document: JobDocument }) {
  const { t, language } = useWords();
  const has = (name: string) => job.artifacts.some((artifact) => artifact.name === name);
  return (
    <>
      {has("stalls.json") && <StallsResult job={job} />}
      {has("syscalls.json") && <SyscallsResult job={job} />}
      {has("profile.json") && (
        <ProfileResult job={job} title={job.tool === "stalls" ? t("stalls.profile") : undefined} />
      )}
      {has("calls.json") && <CallsResult job={job} />}
      {has("heap.json") && <HeapResult job={job} />}
      {has("leaks.json") && <LeaksResult job={job} />}
      {job.tool === "stacks" && "threads" in document.summary && <StacksResult job={job} document={document} />}
      <SummaryView tool={job.tool} summary={document.summary} leaveOut={LEFT_OUT[job.tool]} />
      {document.notes.length > 0 && (
        <Panel title={t("job.notes")}>
          <ul className={classes.notes}>
            {document.notes.map((note) => (
              <li key={note}>{noteText(language, note)}</li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
