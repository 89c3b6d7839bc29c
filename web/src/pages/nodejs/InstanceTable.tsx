import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { NodejsInstance, NodejsProcess } from "../../api/nodejsTypes";
import { ago, count, duration, rate, text } from "../../domain/format";
import { HEALTH_ORDER, type Health } from "../../domain/health";
import { processHealth } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";

interface Props {
  instances: readonly NodejsInstance[];
  processes: readonly NodejsProcess[];
  appName: (app: string) => string;
  sort: string;
  onSort: (sort: string) => void;
}

interface Row extends NodejsInstance {
  running: number;
  worst: Health;
  requests_per_s: number | null;
}

/** What an agent uploads is refused when its clock is off by a minute. */
const BAD_CLOCK_MS = 30_000;

/** Hosts and containers with an agent. */
export function InstanceTable({ instances, processes, appName, sort, onSort }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const rows = useMemo(() => rowsOf(instances, processes), [instances, processes]);
  const columns = useMemo<Column<Row>[]>(
    () => [
      {
        key: "agent",
        header: t("instance"),
        sortBy: ({ agent }) => agent,
        cell: ({ app, agent, connected }) => (
          <Link to="/nodejs/$app/$agent" params={{ app, agent }} preload={false}>
            <Name
              mark={
                <HealthMark
                  health={connected ? "ok" : "idle"}
                  size={10}
                  label={t(connected ? "nodejs.connected" : "nodejs.away")}
                />
              }
            >
              {agent}
            </Name>
          </Link>
        ),
      },
      {
        key: "app",
        header: t("tools.app"),
        width: 170,
        sortBy: ({ app }) => appName(app),
        cell: ({ app }) => <Name>{appName(app)}</Name>,
      },
      {
        key: "processes",
        header: t("nodejs.processes"),
        width: 120,
        align: "right",
        sortBy: ({ worst, running }) => (3 - HEALTH_ORDER[worst]) * 1e6 + running,
        cell: ({ running, worst }) => (
          <>
            {running > 0 && <HealthMark health={worst} size={10} label={t(`nodejs.health.${worst}`)} />}{" "}
            <Amount of={count(running)} />
          </>
        ),
      },
      {
        key: "requests",
        header: t("figure.traffic"),
        width: 110,
        align: "right",
        sortBy: ({ requests_per_s }) => requests_per_s,
        cell: ({ requests_per_s }) => <Amount of={rate(requests_per_s)} unitWidth={4} />,
      },
      {
        key: "clock",
        header: t("nodejs.clock"),
        width: 120,
        align: "right",
        sortBy: ({ clock_offset_ms }) => (clock_offset_ms === null ? null : Math.abs(clock_offset_ms)),
        cell: ({ clock_offset_ms: offset }) => (
          <Amount
            of={duration(offset)}
            tone={Math.abs(offset ?? 0) > BAD_CLOCK_MS ? "warn" : undefined}
            unitWidth={3}
          />
        ),
      },
      {
        key: "version",
        header: "xtransit",
        width: 96,
        sortBy: ({ agent_version }) => agent_version,
        cell: ({ agent_version }) => agent_version,
      },
      {
        key: "seen",
        header: t("figure.lastSeen"),
        width: 110,
        align: "right",
        sortBy: ({ last_seen }) => new Date(last_seen).getTime(),
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language, appName],
  );
  return (
    <DataTable
      label={t("nodejs.instances.count", { count: text(count(rows.length)) })}
      testId={TEST_IDS.nodejsInstances}
      columns={columns}
      rows={rows}
      rowKey={({ app, agent }) => `${app} ${agent}`}
      sort={sort}
      onSort={onSort}
      onOpen={({ app, agent }) => navigate({ to: "/nodejs/$app/$agent", params: { app, agent } })}
      restWidth={190}
      maxHeight="calc(100dvh - 170px)"
    />
  );
}

function rowsOf(instances: readonly NodejsInstance[], processes: readonly NodejsProcess[]): Row[] {
  const rows = new Map(
    instances.map((one) => [
      `${one.app} ${one.agent}`,
      { ...one, running: 0, worst: "idle" as Health, requests_per_s: null as number | null },
    ]),
  );
  for (const process of processes) {
    const row = rows.get(`${process.app} ${process.agent}`);
    if (!row || !process.alive) continue;
    row.running++;
    const health = processHealth(process);
    if (HEALTH_ORDER[health] < HEALTH_ORDER[row.worst]) row.worst = health;
    if (process.requests_per_s !== null) row.requests_per_s = (row.requests_per_s ?? 0) + process.requests_per_s;
  }
  return [...rows.values()];
}
