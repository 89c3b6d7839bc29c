import type { Job } from "../../api/types";
import { bytes, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import classes from "./JobPage.module.css";

/** A file of the run is on its way. */
export function Loading({ job, name }: { job: Job; name: string }) {
  const { t } = useWords();
  const size = job.artifacts.find((artifact) => artifact.name === name)?.bytes;
  return (
    <Panel>
      <p className={classes.loading}>{t("job.loading", { name, size: text(bytes(size)) })}</p>
    </Panel>
  );
}
