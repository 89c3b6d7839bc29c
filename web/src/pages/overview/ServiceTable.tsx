import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { Service } from "../../api/types";
import { ago, count, duration, percent, plain, rate, text } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { errorRatesOf, ratesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { Sparkline } from "../../parts/Sparkline";
import { TEST_IDS } from "../../testIds";
import { urgency } from "./summary";

interface Props {
  services: readonly Service[];
  sort: string;
  onSort: (sort: string) => void;
}

export function ServiceTable({ services, sort, onSort }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<Service>[]>(
    () => [
      {
        key: "health",
        header: "",
        width: 40,
        sortBy: urgency,
        cell: (row) => <HealthMark health={healthOf(row)} />,
      },
      {
        key: "service",
        header: t("service"),
        sortBy: ({ service }) => service,
        cell: ({ service, app }) => (
          <Link to="/services/$service" params={{ service }} search={{ app }} preload={false}>
            <Name>{service}</Name>
          </Link>
        ),
      },
      {
        key: "traffic",
        header: t("figure.traffic"),
        width: 96,
        align: "right",
        sortBy: ({ requests_per_s }) => requests_per_s,
        cell: ({ requests_per_s }) => <Amount of={rate(requests_per_s)} unitWidth={4} />,
      },
      {
        key: "trend",
        header: t("overview.trend"),
        width: 136,
        cell: ({ series, requests_per_s }) => (
          <Sparkline
            width={116}
            values={ratesOf(series)}
            part={errorRatesOf(series)}
            label={`${t("figure.traffic")} ${text(rate(requests_per_s))}`}
          />
        ),
      },
      {
        key: "success",
        header: t("figure.success"),
        width: 94,
        align: "right",
        firstDescending: false,
        sortBy: ({ success_rate }) => success_rate,
        cell: ({ success_rate }) => (
          <Amount of={percent(success_rate)} unitWidth={2} tone={successTone(success_rate)} />
        ),
      },
      {
        key: "errors",
        header: t("figure.errors"),
        width: 74,
        align: "right",
        sortBy: ({ errors }) => errors,
        cell: ({ errors }) => <Amount of={count(errors)} />,
      },
      {
        key: "p50",
        header: "p50",
        width: 82,
        align: "right",
        sortBy: ({ p50_ms }) => p50_ms,
        cell: ({ p50_ms }) => <Amount of={duration(p50_ms)} unitWidth={3} />,
      },
      {
        key: "p95",
        header: "p95",
        width: 84,
        align: "right",
        sortBy: ({ p95_ms }) => p95_ms,
        cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
      },
      {
        key: "latency",
        header: t("overview.p95Trend"),
        width: 112,
        cell: ({ series, p95_ms }) => (
          <Sparkline
            width={92}
            colour="var(--s-p99)"
            values={series.map(({ p95_ms: value }) => value)}
            label={`p95 ${text(duration(p95_ms))}`}
          />
        ),
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
      {
        key: "instances",
        header: t("figure.instances"),
        width: 90,
        align: "right",
        sortBy: ({ instances }) => instances,
        cell: ({ instances }) => <Amount of={count(instances)} />,
      },
      {
        key: "seen",
        header: t("figure.lastSeen"),
        width: 102,
        align: "right",
        sortBy: ({ last_seen }) => new Date(last_seen).getTime(),
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language],
  );
  return (
    <Panel flush>
      <DataTable
        label={t("overview.services")}
        testId={TEST_IDS.overviewTable}
        columns={columns}
        rows={services}
        rowKey={({ app, service }) => `${app}/${service}`}
        sort={sort}
        onSort={onSort}
        onOpen={({ service, app }) => navigate({ to: "/services/$service", params: { service }, search: { app } })}
        maxHeight="calc(100dvh - 220px)"
        rowHeight={38}
      />
    </Panel>
  );
}

function successTone(rate: number | null): "warn" | "error" | undefined {
  if (rate === null || rate > 0.99) return undefined;
  return rate > 0.95 ? "warn" : "error";
}
