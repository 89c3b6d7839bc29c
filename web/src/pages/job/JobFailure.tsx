import type { Job } from "../../api/types";
import { reasonText } from "../../domain/tools";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { Panel } from "../../parts/Panel";
import { PolicyHint } from "../../parts/PolicyHint";
import { TEST_IDS } from "../../testIds";
import classes from "./JobPage.module.css";

/** Why there is no result, in plain words, then in the process's own. */
export function JobFailure({ job }: { job: Job }) {
  const { t } = useWords();
  const { failure, state } = job;
  const plain = failure ? reasonText(t, failure.reason) : t(state === "cancelled" ? "job.cancelled" : "job.noResult");
  return (
    <Panel testId={TEST_IDS.jobFailure}>
      <div className={classes.failure}>
        <p className={classes.failureTitle}>
          <HealthMark health={state === "cancelled" ? "idle" : "error"} />
          {plain || t("job.failed")}
        </p>
        {failure && (
          <p className={classes.failureText}>
            {failure.message} <span className={classes.code}>{failure.reason}</span>
          </p>
        )}
        {failure?.reason === "not_allowed" && (
          <div className={classes.policy}>
            <PolicyHint />
          </div>
        )}
      </div>
    </Panel>
  );
}
