import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconDownload, IconExternalLink, IconStar, IconStarFilled } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { contentAddress, rawAddress } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { sessionQuery } from "../../api/queries";
import { bytes, duration, moment, text } from "../../domain/format";
import { sizeOf } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { FileState } from "../../parts/nodejs/FileState";
import { Refused } from "../../parts/Refused";
import { TEST_IDS } from "../../testIds";
import { useFileWork } from "../nodejsFiles/useFileWork";
import classes from "./NodejsFilePage.module.css";

const LONGEST_NOTE = 1000;

/** What the file is, of which process, and what can be done with it. */
export function FileHead({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const work = useFileWork(() => void navigate({ to: "/nodejs/files", replace: true }));
  const isAdmin = useQuery(sessionQuery).data?.role === "admin";
  const { app, agent, pid, parts } = file;
  const first = parts[0];
  const isPending = work.pending === file.id;
  return (
    <>
      <div className={classes.head} data-testid={TEST_IDS.nodejsFileHead} data-state={file.state}>
        <span className={classes.state}>
          <FileState file={file} />
        </span>
        <Link to="/nodejs/$app/$agent/$pid" params={{ app, agent, pid: String(pid) }} className="link" preload={false}>
          {agent} {t("job.pid", { pid })}
        </Link>
        {file.duration_s > 0 && <span>{text(duration(file.duration_s * 1000))}</span>}
        <span>{moment(file.created_at).slice(0, 19)}</span>
        <span>{t("job.by", { who: file.created_by.replace(/^user:/, "") })}</span>
        {parts.length > 0 && <span>{text(bytes(sizeOf(file)))}</span>}
        <span className={classes.buttons}>
          <ActionIcon
            variant="subtle"
            color={file.favourite ? "yellow" : "gray"}
            disabled={!work.mayChange}
            aria-pressed={file.favourite}
            aria-label={t("nodejs.favourite")}
            title={t("nodejs.favourite")}
            onClick={() => work.mark(file, { favourite: !file.favourite })}
          >
            {file.favourite ? <IconStarFilled size={16} /> : <IconStar size={16} />}
          </ActionIcon>
          {work.mayChange && file.running && (
            <Button size="compact-xs" variant="light" loading={isPending} onClick={() => work.stop(file)}>
              {t("job.stop")}
            </Button>
          )}
          {work.mayChange && (file.state === "on_agent" || file.state === "stored") && (
            <Button
              size="compact-xs"
              variant={file.state === "stored" ? "default" : "light"}
              loading={isPending}
              onClick={() => work.transfer(file)}
            >
              {t(file.state === "stored" ? "nodejs.transferAgain" : "nodejs.transfer")}
            </Button>
          )}
          {first && (
            <Button
              component="a"
              href={contentAddress(file.id)}
              download={first.name}
              size="compact-xs"
              variant="default"
              title={t("nodejs.download.hint")}
              leftSection={<IconDownload size={13} />}
            >
              {t("job.download")}
            </Button>
          )}
          {first && file.kind === "diag" && isAdmin && (
            <Button
              component="a"
              href={rawAddress(file.id)}
              download={first.name}
              size="compact-xs"
              variant="default"
              title={t("diag.raw.hint")}
              leftSection={<IconDownload size={13} />}
            >
              {t("diag.raw")}
            </Button>
          )}
          {first && (file.kind === "cpuprofile" || file.kind === "heapprofile") && (
            <Button
              component="a"
              href={speedscopeAddress(file)}
              target="_blank"
              rel="noopener"
              size="compact-xs"
              variant="default"
              rightSection={<IconExternalLink size={13} />}
            >
              {t("job.export.speedscope.open")}
            </Button>
          )}
          {work.mayChange && !file.running && (
            <ConfirmButton
              label={t("nodejs.delete")}
              confirm={t("nodejs.delete.sure")}
              onConfirm={() => work.remove(file)}
            />
          )}
        </span>
      </div>
      <TextInput
        key={file.note}
        className={classes.note}
        size="xs"
        maxLength={LONGEST_NOTE}
        placeholder={t("nodejs.note")}
        aria-label={t("nodejs.note")}
        defaultValue={file.note}
        readOnly={!work.mayChange}
        onBlur={(event) => {
          const note = event.currentTarget.value.trim();
          if (note !== file.note) work.mark(file, { note });
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      <Refused error={work.error} />
    </>
  );
}

/** speedscope is a part of the console's files; it fetches the profile from this server. */
function speedscopeAddress({ id, parts }: NodejsFile): string {
  const name = parts[0]?.name ?? "";
  return `/speedscope/index.html#profileURL=${encodeURIComponent(contentAddress(id))}&title=${encodeURIComponent(name)}`;
}
