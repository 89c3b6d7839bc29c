import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { Endpoint, ServiceReport } from "../../api/types";
import { count, duration, percent, plain, rate } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
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
      { key: "kind", header: t("kind"), width: 92, cell: ({ kind }) => <span className="muted">{kind}</span> },
      {
        key: "requests",
        header: t("figure.requests"),
        width: 104,
        align: "right",
        sortBy: ({ requests }) => requests,
        cell: ({ requests }) => <Amount of={count(requests)} />,
      },
      {
        key: "traffic",
        header: t("figure.traffic"),
        width: 104,
        align: "right",
        sortBy: ({ requests_per_s }) => requests_per_s,
        cell: ({ requests_per_s }) => <Amount of={rate(requests_per_s)} unitWidth={4} />,
      },
      {
        key: "success",
        header: t("figure.success"),
        width: 104,
        align: "right",
        firstDescending: false,
        sortBy: ({ success_rate }) => success_rate,
        cell: ({ success_rate }) => <Amount of={percent(success_rate)} unitWidth={2} />,
      },
      {
        key: "average",
        header: t("figure.average"),
        width: 96,
        align: "right",
        sortBy: ({ average_ms }) => average_ms,
        cell: ({ average_ms }) => <Amount of={duration(average_ms)} unitWidth={3} />,
      },
      {
        key: "p50",
        header: "p50",
        width: 92,
        align: "right",
        sortBy: ({ p50_ms }) => p50_ms,
        cell: ({ p50_ms }) => <Amount of={duration(p50_ms)} unitWidth={3} />,
      },
      {
        key: "p95",
        header: "p95",
        width: 92,
        align: "right",
        sortBy: ({ p95_ms }) => p95_ms,
        cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
      },
      {
        key: "p99",
        header: "p99",
        width: 92,
        align: "right",
        sortBy: ({ p99_ms }) => p99_ms,
        cell: ({ p99_ms }) => <Amount of={duration(p99_ms)} unitWidth={3} />,
      },
      {
        key: "max",
        header: t("figure.max"),
        width: 92,
        align: "right",
        sortBy: ({ max_ms }) => max_ms,
        cell: ({ max_ms }) => <Amount of={duration(max_ms)} unitWidth={3} />,
      },
      {
        key: "apdex",
        header: t("figure.apdex"),
        width: 78,
        align: "right",
        firstDescending: false,
        sortBy: ({ apdex }) => apdex,
        cell: ({ apdex }) => <Amount of={plain(apdex, 2)} />,
      },
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
