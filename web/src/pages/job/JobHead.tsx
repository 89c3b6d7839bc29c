import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, type Cancel } from "../../api/endpoints";
import { hasEnded, jobQuery } from "../../api/queries";
import type { Job } from "../../api/types";
import { duration, moment, text } from "../../domain/format";
import { stateHealth } from "../../domain/tools";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import { processKey } from "../tools/processKey";
import classes from "./JobPage.module.css";

/** What ran where, by whom and when; and the buttons that end it. */
export function JobHead({ job }: { job: Job }) {
  const { t } = useWords();
  const { service, app, host, node, pid, tool, state } = job;
  const instance = job.instance || job.document?.instance;
  const started = job.started_at ?? job.created_at;
  const options = Object.entries(job.options);
  return (
    <div className={classes.head} data-testid={TEST_IDS.jobHead} data-state={state}>
      <strong className={classes.state}>
        <HealthMark health={stateHealth[state]} /> {t(`job.state.${state}`)}
      </strong>
      <Link to="/services/$service" params={{ service }} search={{ app }} className="link" preload={false}>
        {service}
      </Link>
      <Link to="/nodes/$host" params={{ host: host || node }} className="link" preload={false}>
        {host || node}
      </Link>
      <span>{t("job.pid", { pid })}</span>
      {instance && <span className="mono">{instance}</span>}
      {job.document?.python && <span>Python {job.document.python}</span>}
      {job.seconds > 0 && <span>{text(duration((job.document?.seconds ?? job.seconds) * 1000))}</span>}
      <span>{moment(started).slice(0, 19)}</span>
      <span>{t("job.by", { who: job.by.replace(/^user:/, "") })}</span>
      {options.length > 0 && (
        <span className="mono">{options.map(([name, value]) => `${name}=${value}`).join(" ")}</span>
      )}
      <span className={classes.buttons}>
        {hasEnded(job) ? (
          <Button
            size="compact-xs"
            variant="default"
            renderRoot={(props) => (
              <Link to="/tools" search={{ process: processKey(job), tool }} preload={false} {...props} />
            )}
          >
            {t("job.again")}
          </Button>
        ) : (
          <CancelButtons job={job} />
        )}
      </span>
    </div>
  );
}

function CancelButtons({ job }: { job: Job }) {
  const { t } = useWords();
  const queryClient = useQueryClient();
  const cancel = useMutation({
    mutationFn: (how: Cancel) => api.cancelJob(job.id, how),
    onSuccess: (told) => queryClient.setQueryData(jobQuery(job.id).queryKey, told),
  });
  return (
    <>
      {cancel.error && (
        <span className={classes.error} role="alert">
          {cancel.error.message}
        </span>
      )}
      <Button
        size="compact-xs"
        variant="light"
        title={t("job.stop.hint")}
        loading={cancel.isPending && cancel.variables === "stop"}
        onClick={() => cancel.mutate("stop")}
      >
        {t("job.stop")}
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        title={t("job.abort.hint")}
        loading={cancel.isPending && cancel.variables === "abort"}
        onClick={() => cancel.mutate("abort")}
      >
        {t("job.abort")}
      </Button>
    </>
  );
}
