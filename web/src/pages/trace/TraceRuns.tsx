import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { jobsBetweenQuery } from "../../api/queries";
import type { Job, Trace } from "../../api/types";
import { stateHealth, toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import { during, instancesOf, searchedBefore } from "./runsDuring";
import classes from "./TracePage.module.css";

/** Runs of tools in the processes of a trace, while it went through them: the profile of a slow request. */
export function TraceRuns({ trace }: { trace: Trace }) {
  const { t } = useWords();
  const { instances, between } = useMemo(
    () => ({ instances: instancesOf(trace), between: searchedBefore(trace) }),
    [trace],
  );
  const answers = useQueries({
    queries: instances.map((instance) => jobsBetweenQuery({ instance }, between)),
  });
  const runs = answers.flatMap(({ data }) => data ?? []).filter((job) => during(job, trace));
  if (runs.length === 0) return null;
  return (
    <span className={classes.runs} data-testid={TEST_IDS.traceRuns}>
      {t("runs.during")}
      {runs.map((job: Job) => (
        <Link
          key={job.id}
          to="/tools/runs/$job"
          params={{ job: job.id }}
          className={`link ${classes.service}`}
          preload={false}
        >
          <HealthMark health={stateHealth[job.state]} size={10} />
          {toolName(t, job.tool)} · {job.service}
        </Link>
      ))}
    </span>
  );
}
