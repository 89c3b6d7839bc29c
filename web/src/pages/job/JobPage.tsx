import { getRouteApi, Link } from "@tanstack/react-router";

import { hasEnded } from "../../api/queries";
import type { Job } from "../../api/types";
import { useJob } from "../../api/useJob";
import { stateHealth, toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { JobFailure } from "./JobFailure";
import { JobFiles } from "./JobFiles";
import { JobHead } from "./JobHead";
import { JobProgress } from "./JobProgress";
import { JobResult } from "./JobResult";

const route = getRouteApi("/in/tools/runs/$job");

/** One run of a tool: how far it is, then what it found. */
export default function JobPage() {
  const { t } = useWords();
  const { job: id } = route.useParams();
  const job = useJob(id);
  const name = job.data ? `${toolName(t, job.data.tool)} · ${job.data.service}` : t("runs.title");
  return (
    <Page
      title={name}
      heading={
        <Breadcrumb
          parent={
            <Link to="/tools" className="link">
              {t("nav.tools")}
            </Link>
          }
          mark={job.data && <HealthMark health={stateHealth[job.data.state]} />}
          name={name}
        />
      }
    >
      <Loaded query={job} skeleton={<ReportSkeleton />} gone={{ title: t("job.gone"), hint: t("job.gone.hint") }}>
        {(data) => <JobView key={data.id} job={data} />}
      </Loaded>
    </Page>
  );
}

function JobView({ job }: { job: Job }) {
  return (
    <>
      <JobHead job={job} />
      {!hasEnded(job) && <JobProgress job={job} />}
      {hasEnded(job) && job.state !== "done" && <JobFailure job={job} />}
      {job.document && <JobResult job={job} document={job.document} />}
      {hasEnded(job) && <JobFiles job={job} />}
    </>
  );
}
