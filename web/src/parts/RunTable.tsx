import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import type { Job } from "../api/types";
import { ago, duration, moment } from "../domain/format";
import { stateHealth, toolName } from "../domain/tools";
import { useWords } from "../i18n";
import { TEST_IDS } from "../testIds";
import { Amount } from "./Amount";
import { type Column, DataTable } from "./DataTable";
import { HealthMark } from "./HealthMark";
import { Name } from "./Name";

interface Props {
  jobs: readonly Job[];
  onEnd?: () => void;
  foot?: ReactNode;
  maxHeight?: string;
}

/** Runs of tools, in the order of the answer. */
export function RunTable({ jobs, onEnd, foot, maxHeight = "52dvh" }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<Job>[]>(
    () => [
      {
        key: "tool",
        header: t("runs.tool"),
        width: 190,
        cell: ({ id, tool }) => (
          <Link to="/tools/runs/$job" params={{ job: id }} preload={false}>
            <Name>{toolName(t, tool)}</Name>
          </Link>
        ),
      },
      {
        key: "state",
        header: t("runs.state"),
        width: 116,
        cell: ({ state }) => (
          <Name mark={<HealthMark health={stateHealth[state]} size={10} />}>{t(`job.state.${state}`)}</Name>
        ),
      },
      { key: "service", header: t("service"), cell: ({ service }) => <Name>{service}</Name> },
      { key: "pid", header: "PID", width: 84, align: "right", cell: ({ pid }) => pid },
      { key: "host", header: t("nodes.host"), width: 150, cell: ({ host, node }) => <Name>{host || node}</Name> },
      {
        key: "took",
        header: t("runs.took"),
        width: 90,
        align: "right",
        cell: (job) => <Amount of={duration(tookMs(job))} unitWidth={3} />,
      },
      { key: "by", header: t("runs.by"), width: 130, cell: ({ by }) => <Name>{by.replace(/^user:/, "")}</Name> },
      {
        key: "when",
        header: t("runs.when"),
        width: 124,
        align: "right",
        cell: ({ created_at }) => (
          <span className="muted" title={moment(created_at)}>
            {ago(created_at, language)}
          </span>
        ),
      },
    ],
    [t, language],
  );
  return (
    <DataTable
      label={t("runs.title")}
      testId={TEST_IDS.runsTable}
      columns={columns}
      rows={jobs}
      rowKey={({ id }) => id}
      onOpen={({ id }) => navigate({ to: "/tools/runs/$job", params: { job: id } })}
      onEnd={onEnd}
      foot={foot}
      rowHeight={32}
      restWidth={150}
      maxHeight={maxHeight}
    />
  );
}

/** null while it runs. */
function tookMs({ started_at, ended_at }: Job): number | null {
  if (!started_at || !ended_at) return null;
  return new Date(ended_at).getTime() - new Date(started_at).getTime();
}
