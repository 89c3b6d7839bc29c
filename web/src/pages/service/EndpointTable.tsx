import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { Endpoint, ServiceReport } from "../../api/types";
import { percent, plain, rate } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { useWords } from "../../i18n";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { countColumn, durationColumn, figureColumn } from "../../parts/figureColumns";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TEST_IDS } from "../../testIds";

const route = getRouteApi("/in/services/$service");

interface Props {
  report: ServiceReport;
  sort: string;
  onSort: (sort: string) => void;
}

export function EndpointTable({ report, sort, onSort }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const { q = "" } = route.useSearch();
  const change = route.useNavigate();
  const { service } = report;
  const rows = useMemo(
    () => report.endpoints.filter(({ endpoint }) => endpoint.toLowerCase().includes(q.toLowerCase())),
    [report.endpoints, q],
  );
  const columns = useMemo<Column<Endpoint>[]>(
    () => [
      {
        key: "endpoint",
        header: t("endpoint"),
        sortBy: ({ endpoint }) => endpoint,
        cell: (row) => (
          <Link to="/traces" search={{ service, endpoint: row.endpoint }} preload={false}>
            <Name mark={<HealthMark health={healthOf(row)} size={10} />}>{row.endpoint}</Name>
          </Link>
        ),
      },
      {
        key: "kind",
        header: t("kind"),
        width: 92,
        phoneLast: true,
        cell: ({ kind }) => <span className="muted">{t(`kind.${kind}`)}</span>,
      },
      countColumn("requests", t("figure.requests"), ({ requests }) => requests, { width: 104, sorts: true }),
      figureColumn("traffic", t("figure.traffic"), ({ requests_per_s }) => requests_per_s, rate, {
        width: 104,
        unitWidth: 4,
        sorts: true,
      }),
      figureColumn("success", t("figure.success"), ({ success_rate }) => success_rate, percent, {
        width: 104,
        unitWidth: 2,
        sorts: true,
        firstDescending: false,
      }),
      durationColumn("average", t("figure.average"), ({ average_ms }) => average_ms, { width: 96, sorts: true }),
      durationColumn("p50", "p50", ({ p50_ms }) => p50_ms, { sorts: true }),
      durationColumn("p95", "p95", ({ p95_ms }) => p95_ms, { sorts: true }),
      durationColumn("p99", "p99", ({ p99_ms }) => p99_ms, { sorts: true }),
      durationColumn("max", t("figure.max"), ({ max_ms }) => max_ms, { sorts: true }),
      figureColumn(
        "apdex",
        t("figure.apdex"),
        ({ apdex }) => apdex,
        (value) => plain(value, 2),
        {
          width: 78,
          sorts: true,
          firstDescending: false,
        },
      ),
    ],
    [t, service],
  );
  return (
    <Panel
      title={t("service.endpoints", { count: report.endpoints.length })}
      flush
      aside={
        <SearchField
          label={t("service.searchEndpoints")}
          width={210}
          value={q}
          onChange={(words) =>
            change({ search: (before) => ({ ...before, q: words || undefined }), replace: true, resetScroll: false })
          }
        />
      }
    >
      {rows.length === 0 ? (
        <Empty title={q ? t("overview.noMatch", { words: q }) : t("service.noRequests")} />
      ) : (
        <DataTable
          label={t("service.endpoints", { count: rows.length })}
          testId={TEST_IDS.endpointsTable}
          columns={columns}
          rows={rows}
          rowKey={({ endpoint, kind }) => `${kind} ${endpoint}`}
          sort={sort}
          onSort={onSort}
          onOpen={({ endpoint }) => navigate({ to: "/traces", search: { service, endpoint } })}
          maxHeight="420px"
          rowHeight={34}
          restWidth={220}
        />
      )}
    </Panel>
  );
}
