import { ActionIcon, Button } from "@mantine/core";
import { IconDownload, IconStar, IconStarFilled } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import { contentAddress } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { ago, bytes, moment } from "../../domain/format";
import { sizeOf } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { FileState } from "../../parts/nodejs/FileState";
import { TEST_IDS } from "../../testIds";
import type { FileWork } from "./useFileWork";

interface Props {
  files: readonly NodejsFile[];
  /** Of one process: it goes without saying which. */
  isShort?: boolean;
  work: FileWork;
  onEnd?: () => void;
  foot?: ReactNode;
}

/** Files with what becomes of them, and what can be done with each. */
export function FileTable({ files, isShort, work, onEnd, foot }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<NodejsFile>[]>(
    () => [
      {
        key: "favourite",
        header: "",
        width: 46,
        cell: (file) => (
          <ActionIcon
            variant="subtle"
            color={file.favourite ? "yellow" : "gray"}
            size="sm"
            disabled={!work.mayChange}
            aria-pressed={file.favourite}
            aria-label={t("nodejs.favourite")}
            title={t("nodejs.favourite")}
            onClick={() => work.mark(file, { favourite: !file.favourite })}
          >
            {file.favourite ? <IconStarFilled size={14} /> : <IconStar size={14} />}
          </ActionIcon>
        ),
      },
      {
        key: "kind",
        header: t("kind"),
        ...(isShort ? {} : { width: 190 }),
        cell: ({ id, kind, note }) => (
          <Link to="/nodejs/files/$id" params={{ id: String(id) }} preload={false}>
            <Name>{t(`nodejs.kind.${kind}`)}</Name>
            {note && (
              <span className="ellipsis muted" style={{ fontSize: "0.72rem", lineHeight: 1.2 }} title={note}>
                {note}
              </span>
            )}
          </Link>
        ),
      },
      { key: "state", header: t("runs.state"), width: 190, cell: (file) => <FileState file={file} /> },
      ...(isShort
        ? []
        : [
            {
              key: "process",
              header: t("tools.process"),
              cell: ({ app, agent, pid }: NodejsFile) => (
                <Link to="/nodejs/$app/$agent/$pid" params={{ app, agent, pid: String(pid) }} preload={false}>
                  <Name>{agent}</Name>
                  <span className="muted" style={{ display: "block", fontSize: "0.72rem", lineHeight: 1.2 }}>
                    {t("job.pid", { pid })}
                  </span>
                </Link>
              ),
            },
          ]),
      {
        key: "size",
        header: t("job.size"),
        width: 100,
        align: "right",
        cell: (file) => <Amount of={bytes(sizeOf(file))} unitWidth={4} />,
      },
      {
        key: "by",
        header: t("runs.by"),
        width: 110,
        cell: ({ created_by }) => <Name>{created_by.replace(/^user:/, "")}</Name>,
      },
      {
        key: "when",
        header: t("runs.when"),
        width: 110,
        align: "right",
        cell: ({ created_at }) => (
          <span className="muted" title={moment(created_at)}>
            {ago(created_at, language)}
          </span>
        ),
      },
      {
        key: "work",
        header: "",
        width: 210,
        align: "right",
        cell: (file) => <Work file={file} work={work} />,
      },
    ],
    [t, language, isShort, work],
  );
  return (
    <DataTable
      label={t("nodejs.files")}
      testId={TEST_IDS.nodejsFiles}
      columns={columns}
      rows={files}
      rowKey={({ id }) => String(id)}
      onOpen={({ id }) => navigate({ to: "/nodejs/files/$id", params: { id: String(id) } })}
      onEnd={onEnd}
      foot={foot}
      rowHeight={40}
      restWidth={150}
      maxHeight={isShort ? "40dvh" : "calc(100dvh - 150px)"}
    />
  );
}

function Work({ file, work }: { file: NodejsFile; work: FileWork }) {
  const { t } = useWords();
  const isPending = work.pending === file.id;
  return (
    <span style={{ display: "inline-flex", gap: 6, alignItems: "center" }}>
      {work.mayChange && file.running && (
        <Button size="compact-xs" variant="light" loading={isPending} onClick={() => work.stop(file)}>
          {t("job.stop")}
        </Button>
      )}
      {work.mayChange && file.state === "on_agent" && (
        <Button size="compact-xs" variant="default" loading={isPending} onClick={() => work.transfer(file)}>
          {t("nodejs.transfer")}
        </Button>
      )}
      {file.parts[0] && (
        <ActionIcon
          component="a"
          href={contentAddress(file.id)}
          download={file.parts[0].name}
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={t("job.download")}
          title={t("job.download")}
        >
          <IconDownload size={15} />
        </ActionIcon>
      )}
      {work.mayChange && !file.running && (
        <ConfirmButton
          label={t("nodejs.delete")}
          confirm={t("nodejs.delete.sure")}
          onConfirm={() => work.remove(file)}
        />
      )}
    </span>
  );
}
