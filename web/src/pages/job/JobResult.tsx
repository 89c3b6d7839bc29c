import type { Job, JobDocument } from "../../api/types";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { SummaryView } from "../../parts/profile/SummaryView";
import { CallsResult } from "./CallsResult";
import classes from "./JobPage.module.css";
import { ProfileResult } from "./ProfileResult";
import { StacksResult } from "./StacksResult";

/** Lists of a summary that the pictures show whole. */
const SHOWN: Record<string, readonly string[]> = {
  cpu: ["functions"],
  calls: ["functions"],
  stacks: ["threads", "loops"],
};

/** What a run found: its pictures, where its tool has any, then its summary, then what to know about it. */
export function JobResult({ job, document }: { job: Job; document: JobDocument }) {
  const { t } = useWords();
  const has = (name: string) => job.artifacts.some((artifact) => artifact.name === name);
  return (
    <>
      {has("profile.json") && <ProfileResult job={job} />}
      {has("calls.json") && <CallsResult job={job} />}
      {job.tool === "stacks" && "threads" in document.summary && <StacksResult job={job} document={document} />}
      <SummaryView summary={document.summary} leaveOut={SHOWN[job.tool]} />
      {document.notes.length > 0 && (
        <Panel title={t("job.notes")}>
          <ul className={classes.notes}>
            {document.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
