import type { Job } from "../../api/types";
import { duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";
import classes from "./JobPage.module.css";

/** How far a run is, and what the tool says of it. */
export function JobProgress({ job }: { job: Job }) {
  const { t } = useWords();
  const of = job.progress?.of || job.seconds;
  const seconds = job.progress?.seconds ?? 0;
  const share = of > 0 ? Math.min(1, seconds / of) : 0;
  const words =
    job.state === "waiting"
      ? t("job.waiting")
      : share >= 1
        ? t("job.finishing")
        : t("job.progress", { seconds: text(duration(seconds * 1000)), of: text(duration(of * 1000)) });
  return (
    <Panel testId={TEST_IDS.jobProgress}>
      <div className={classes.progress}>
        <div
          className={classes.track}
          role="progressbar"
          aria-label={words}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
        >
          <div className={classes.fill} style={{ width: `${share * 100}%` }} />
        </div>
        <div className={classes.progressWords}>
          <span>{words}</span>
          <span className="muted">{job.progress?.note}</span>
        </div>
      </div>
    </Panel>
  );
}
