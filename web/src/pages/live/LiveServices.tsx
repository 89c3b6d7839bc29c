import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import type { LiveService } from "../../api/liveTypes";
import { duration, rate } from "../../domain/format";
import { healthOf, toneOf } from "../../domain/health";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";

/** In the order of their names: a table that reorders itself each second cannot be read. */
export function LiveServices({ services }: { services: readonly LiveService[] }) {
  const { t } = useWords();
  const columns = useMemo<Column<LiveService>[]>(
    () => [
      {
        key: "service",
        header: t("service"),
        sortBy: ({ service }) => service,
        cell: (row) => (
          <Link to="/services/$service" params={{ service: row.service }} preload={false}>
            <Name
              mark={
                <HealthMark health={healthOf({ requests: row.requests_per_s, errors: row.errors_per_s })} size={10} />
              }
            >
              {row.service}
            </Name>
          </Link>
        ),
      },
      {
        key: "traffic",
        header: t("figure.traffic"),
        width: 84,
        align: "right",
        cell: ({ requests_per_s }) => <Amount of={rate(requests_per_s)} unitWidth={4} />,
      },
      {
        key: "errors",
        header: t("figure.errors"),
        width: 86,
        align: "right",
        cell: ({ requests_per_s, errors_per_s }) => (
          <Amount
            of={rate(errors_per_s)}
            unitWidth={4}
            tone={toneOf({ requests: requests_per_s, errors: errors_per_s })}
          />
        ),
      },
      {
        key: "p95",
        header: "p95",
        width: 84,
        align: "right",
        cell: ({ p95_ms }) => <Amount of={duration(p95_ms)} unitWidth={3} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("live.services")} flush>
      {services.length === 0 ? (
        <Empty title={t("live.quiet")} />
      ) : (
        <DataTable
          label={t("live.services")}
          testId={TEST_IDS.liveTable}
          columns={columns}
          rows={services}
          rowKey={({ service }) => service}
          sort="service"
          maxHeight="420px"
          rowHeight={32}
          restWidth={120}
        />
      )}
    </Panel>
  );
}
