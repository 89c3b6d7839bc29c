import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import { type StatisticsFilter, topQuery } from "../../api/statistics";
import type { TopError } from "../../api/statisticsTypes";
import type { TraceRow } from "../../api/types";
import { count, duration, moment, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import classes from "./StatisticsPage.module.css";

/** The slowest requests and the endpoints that failed most often, of those whose traces are kept. */
export function TopLists({ filter }: { filter: StatisticsFilter }) {
  const { t } = useWords();
  const { range } = useRange();
  const navigate = useNavigate();
  const top = useQuery(topQuery(filter, range));
  const slowest = useMemo<Column<TraceRow>[]>(
    () => [
      {
        key: "endpoint",
        header: t("endpoint"),
        cell: ({ trace_id, span_id, endpoint, error }) => (
          <Link to="/traces/$traceId" params={{ traceId: trace_id }} search={{ span: span_id }} preload={false}>
            <Name mark={<HealthMark health={error ? "error" : "ok"} size={10} />}>{endpoint}</Name>
          </Link>
        ),
      },
      {
        key: "service",
        header: t("service"),
        width: 120,
        phoneLast: true,
        cell: ({ service }) => <Name>{service}</Name>,
      },
      {
        key: "time",
        header: t("time"),
        width: 150,
        phoneLast: true,
        cell: ({ start_time }) => moment(start_time, "minute"),
      },
      {
        key: "duration",
        header: t("span.duration"),
        width: 96,
        align: "right",
        cell: ({ duration_ms }) => <Amount of={duration(duration_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  const errors = useMemo<Column<TopError>[]>(
    () => [
      {
        key: "endpoint",
        header: t("endpoint"),
        cell: ({ app, service, endpoint }) => (
          <Link to="/traces" search={{ app, service, endpoint, error: true }} preload={false}>
            <Name>{endpoint}</Name>
          </Link>
        ),
      },
      {
        key: "service",
        header: t("service"),
        width: 110,
        phoneLast: true,
        cell: ({ service }) => <Name>{service}</Name>,
      },
      { key: "status", header: t("status"), width: 66, cell: ({ status_code }) => status_code || NOTHING },
      {
        key: "errors",
        header: t("figure.errors"),
        width: 74,
        align: "right",
        cell: (row) => <Amount of={count(row.errors)} tone="error" />,
      },
      {
        key: "latest",
        header: t("statistics.latest"),
        width: 152,
        cell: ({ last_seen, trace_id }) => (
          <Link to="/traces/$traceId" params={{ traceId: trace_id }} className="link" preload={false}>
            {moment(last_seen, "minute")}
          </Link>
        ),
      },
    ],
    [t],
  );
  return (
    <Loaded query={top} skeleton={<TableSkeleton rows={5} />}>
      {(found) => (
        <div className={classes.pair}>
          <Panel title={t("statistics.slowest")} flush testId={TEST_IDS.statisticsSlowest}>
            {found.slowest.length === 0 ? (
              <Empty title={t("statistics.none")} />
            ) : (
              <DataTable
                label={t("statistics.slowest")}
                columns={slowest}
                rows={found.slowest}
                rowKey={({ trace_id, span_id }) => trace_id + span_id}
                onOpen={({ trace_id, span_id }) =>
                  navigate({ to: "/traces/$traceId", params: { traceId: trace_id }, search: { span: span_id } })
                }
                rowHeight={32}
                maxHeight="380px"
                restWidth={150}
              />
            )}
          </Panel>
          <Panel title={t("statistics.mostErrors")} flush testId={TEST_IDS.statisticsErrors}>
            {found.errors.length === 0 ? (
              <Empty title={t("errors.none")} />
            ) : (
              <DataTable
                label={t("statistics.mostErrors")}
                columns={errors}
                rows={found.errors}
                rowKey={({ app, service, endpoint, kind, status_code }) =>
                  [app, service, endpoint, kind, status_code].join("\n")
                }
                onOpen={({ trace_id }) => navigate({ to: "/traces/$traceId", params: { traceId: trace_id } })}
                rowHeight={32}
                maxHeight="380px"
                restWidth={150}
              />
            )}
          </Panel>
        </div>
      )}
    </Loaded>
  );
}
