import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import type { CallList } from "../../api/slow";
import type { SlowGroup } from "../../api/slowTypes";
import { count, duration, percent } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { countColumn, durationColumn, figureColumn } from "../../parts/figureColumns";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";

interface Props {
  groups: readonly SlowGroup[];
  kind: CallList;
  service: string | undefined;
  /** Of what the server chose the groups by. */
  sort: string;
  onSort: (sort: string) => void;
  foot: ReactNode;
}

/** A row for each group; it leads to the group's page, and from there to the traces. */
export function SlowTable({ groups, kind, service, sort, onSort, foot }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<SlowGroup>[]>(
    () => [
      {
        key: "text",
        header: kind === "sql" ? t("slow.statement") : t("slow.call"),
        cell: ({ id, text }) => (
          <Link to="/slow/$group" params={{ group: id }} search={{ service }} preload={false}>
            <Name mono>{text}</Name>
          </Link>
        ),
      },
      {
        key: "services",
        header: t("slow.callers"),
        width: 160,
        phoneLast: true,
        cell: ({ services }) => <Name>{servicesText(services, t)}</Name>,
      },
      countColumn("count", t("slow.calls"), ({ calls }) => calls, { sorts: true, phoneLast: true }),
      {
        key: "errors",
        header: t("figure.errors"),
        width: 80,
        phoneLast: true,
        align: "right",
        cell: ({ errors }) => <Amount of={count(errors)} tone={errors > 0 ? "error" : undefined} />,
      },
      durationColumn("total", t("slow.total"), ({ total_ms }) => total_ms, { width: 96, sorts: true }),
      figureColumn("share", t("slow.share"), ({ share }) => share, percent, { width: 80, unitWidth: 2 }),
      durationColumn("average", t("figure.average"), ({ average_ms }) => average_ms, { width: 96 }),
      durationColumn("p95", "p95", ({ p95_ms }) => p95_ms, { sorts: true }),
      {
        key: "max",
        header: t("figure.max"),
        width: 92,
        align: "right",
        sortBy: ({ max_ms }) => max_ms,
        cell: ({ max_ms, trace_id, span_id }) => (
          <Link
            to="/traces/$traceId"
            params={{ traceId: trace_id }}
            search={{ span: span_id }}
            className="link"
            title={t("slow.example")}
            preload={false}
          >
            <Amount of={duration(max_ms)} unitWidth={3} />
          </Link>
        ),
      },
    ],
    [t, kind, service],
  );
  return (
    <DataTable
      label={t("nav.slow")}
      testId={TEST_IDS.slowTable}
      columns={columns}
      rows={groups}
      rowKey={({ id }) => id}
      sort={sort}
      onSort={onSort}
      onOpen={({ id }) => navigate({ to: "/slow/$group", params: { group: id }, search: { service } })}
      restWidth={300}
      foot={foot}
    />
  );
}

function servicesText(services: SlowGroup["services"], t: ReturnType<typeof useWords>["t"]): string {
  const [first, ...others] = services;
  if (!first) return "";
  return others.length ? t("slow.moreServices", { service: first.service, count: others.length }) : first.service;
}
