import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { jobQuery } from "../../api/queries";
import type { Job } from "../../api/types";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import classes from "./JobPage.module.css";

/** Which run it is beside, and a word where that is another service's. */
export function Beside({ run, job }: { run: Pick<Job, "id" | "created_at" | "service" | "pid">; job: Job }) {
  const { t } = useWords();
  return (
    <p className={classes.then}>
      {t("compare.with")}{" "}
      <Link to="/tools/runs/$job" params={{ job: run.id }} className="link">
        {moment(run.created_at).slice(0, 19)} · {run.service} · {t("job.pid", { pid: run.pid })}
      </Link>
      {run.service !== job.service && <span className="muted"> {t("compare.otherService")}</span>}
    </p>
  );
}

/** The same, where only its id is known yet. */
export function BesideId({ id, job }: { id: string; job: Job }) {
  const run = useQuery(jobQuery(id));
  return run.data ? <Beside run={run.data} job={job} /> : null;
}
