import type { Job, JobDocument } from "../../api/types";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { SummaryView } from "../../parts/profile/SummaryView";
import classes from "./JobPage.module.css";
import { ProfileResult } from "./ProfileResult";

/** What a run found: its pictures, where its tool has any, then its summary, then what to know about it. */
export function JobResult({ job, document }: { job: Job; document: JobDocument }) {
  const { t } = useWords();
  const has = (name: string) => job.artifacts.some((artifact) => artifact.name === name);
  return (
    <>
      {has("profile.json") && <ProfileResult job={job} />}
      <SummaryView summary={document.summary} />
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
