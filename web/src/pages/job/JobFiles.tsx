import { Button } from "@mantine/core";
import { IconDownload, IconExternalLink } from "@tabler/icons-react";

import { artifactAddress, type ExportFormat, exportAddress } from "../../api/endpoints";
import type { Job } from "../../api/types";
import { bytes, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";
import classes from "./JobPage.module.css";

const PROFILE = "profile.json";
const EXPORTS: readonly [ExportFormat, string][] = [
  ["pprof", "pprof"],
  ["collapsed", "collapsed"],
  ["speedscope", "speedscope"],
  ["json", "JSON"],
];

/** The files of a run, and its profile in the formats of other tools. */
export function JobFiles({ job }: { job: Job }) {
  const { t } = useWords();
  const hasProfile = job.artifacts.some(({ name }) => name === PROFILE);
  if (job.artifacts.length === 0) return null;
  return (
    <Panel title={t("job.files")} testId={TEST_IDS.jobFiles}>
      <div className={classes.files}>
        {job.artifacts.map(({ name, bytes: size }) => (
          <Button
            key={name}
            component="a"
            href={artifactAddress(job.id, name)}
            download={`${job.tool}-${job.id}-${name}`}
            size="compact-sm"
            variant="default"
            leftSection={<IconDownload size={14} />}
          >
            {name} <span className={classes.size}>{text(bytes(size))}</span>
          </Button>
        ))}
        {hasProfile && (
          <>
            <span className={classes.exportLabel}>{t("job.export")}</span>
            {EXPORTS.map(([format, label]) => (
              <Button
                key={format}
                component="a"
                href={exportAddress(job.id, format)}
                download
                size="compact-sm"
                variant="default"
              >
                {label}
              </Button>
            ))}
            <Button
              component="a"
              href={speedscopeAddress(job)}
              target="_blank"
              rel="noopener"
              size="compact-sm"
              variant="light"
              rightSection={<IconExternalLink size={14} />}
            >
              {t("job.export.speedscope.open")}
            </Button>
          </>
        )}
      </div>
    </Panel>
  );
}

/** speedscope is a part of the console's files; it fetches the profile from this server. */
export function speedscopeAddress(job: Pick<Job, "id" | "tool" | "service">): string {
  const profile = encodeURIComponent(exportAddress(job.id, "speedscope"));
  return `/speedscope/index.html#profileURL=${profile}&title=${encodeURIComponent(`${job.tool} ${job.service}`)}`;
}
