import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { NodejsProcess } from "../../api/nodejsTypes";
import { ago, bytes, count, duration, moment, percent, rate, text } from "../../domain/format";
import { HEALTH_ORDER } from "../../domain/health";
import { cpuHealth, gcHealth, heapHealth, heapShare, nodejsKey, processHealth } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { HealthMark } from "../HealthMark";
import { Meter } from "../Meter";
import { Name } from "../Name";

interface Props {
  processes: readonly NodejsProcess[];
  /** Not given: all are of one agent, and it goes without saying which. */
  appName?: (app: string) => string;
  sort: string;
  onSort: (sort: string) => void;
  maxHeight?: string;
}

const toneOf = (health: ReturnType<typeof cpuHealth>) => (health === "warn" || health === "error" ? health : undefined);
const timeOf = (time: string | null) => (time ? new Date(time).getTime() : null);

/** Processes with what they said last. */
export function NodejsTable({ processes, appName, sort, onSort, maxHeight = "calc(100dvh - 170px)" }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<NodejsProcess>[]>(() => {
    const where: Column<NodejsProcess>[] = appName
      ? [
          {
            key: "agent",
            header: t("instance"),
            width: 160,
            sortBy: ({ app, agent }) => `${appName(app)} ${agent}`,
            cell: ({ app, agent }) => (
              <Link to="/nodejs/$app/$agent" params={{ app, agent }} preload={false}>
                <Name>{agent}</Name>
                <span className="ellipsis muted" style={{ fontSize: "0.72rem", lineHeight: 1.2 }}>
                  {appName(app)}
                </span>
              </Link>
            ),
          },
        ]
      : [];
    return [
      {
        key: "health",
        header: t("tools.process"),
        sortBy: (one) => `${HEALTH_ORDER[processHealth(one)]} ${one.command} ${one.pid}`,
        cell: (one) => <Process process={one} />,
      },
      ...where,
      {
        key: "cpu",
        header: t("nodes.cpu"),
        width: 106,
        firstDescending: true,
        sortBy: ({ cpu_percent }) => cpu_percent,
        cell: ({ cpu_percent }) => {
          const share = cpu_percent === null ? null : cpu_percent / 100;
          return (
            <Meter
              fraction={share}
              health={cpuHealth(cpu_percent)}
              title={`${t("nodes.cpu")} ${text(percent(share))}`}
            />
          );
        },
      },
      {
        key: "heap",
        header: t("nodejs.heap"),
        width: 138,
        firstDescending: true,
        sortBy: heapShare,
        cell: (one) => {
          const share = heapShare(one);
          const used = { used: text(bytes(one.heap_used_bytes)), total: text(bytes(one.heap_limit_bytes)) };
          const detail = one.heap_used_bytes === null ? undefined : t("nodes.of", used);
          return (
            <Meter
              fraction={share}
              health={heapHealth(share)}
              title={`${t("nodejs.heap")}: ${detail ?? ""}`}
              detail={detail}
            />
          );
        },
      },
      {
        key: "rss",
        header: "RSS",
        width: 92,
        align: "right",
        sortBy: ({ rss_bytes }) => rss_bytes,
        cell: ({ rss_bytes }) => <Amount of={bytes(rss_bytes)} unitWidth={4} />,
      },
      {
        key: "gc",
        header: t("nodejs.gc"),
        width: 80,
        align: "right",
        sortBy: ({ gc_percent }) => gc_percent,
        cell: ({ gc_percent }) => (
          <Amount of={percent(gc_percent === null ? null : gc_percent / 100)} tone={toneOf(gcHealth(gc_percent))} />
        ),
      },
      {
        key: "handles",
        header: t("nodejs.handles"),
        width: 86,
        align: "right",
        sortBy: ({ active_handles }) => active_handles,
        cell: ({ active_handles }) => <Amount of={count(active_handles)} />,
      },
      {
        key: "requests",
        header: t("figure.traffic"),
        width: 90,
        align: "right",
        sortBy: ({ requests_per_s }) => requests_per_s,
        cell: ({ requests_per_s }) => <Amount of={rate(requests_per_s)} unitWidth={4} />,
      },
      {
        key: "took",
        header: t("figure.latency"),
        width: 84,
        align: "right",
        sortBy: ({ response_average_ms }) => response_average_ms,
        cell: ({ response_average_ms }) => <Amount of={duration(response_average_ms)} unitWidth={3} />,
      },
      {
        key: "started",
        header: t("nodejs.started"),
        width: 98,
        align: "right",
        sortBy: ({ started_at }) => timeOf(started_at),
        cell: ({ started_at }) =>
          started_at && (
            <span className="muted" title={moment(started_at)}>
              {ago(started_at, language)}
            </span>
          ),
      },
    ];
  }, [t, language, appName]);
  return (
    <DataTable
      label={t("nodejs.processes")}
      testId={TEST_IDS.nodejsTable}
      columns={columns}
      rows={processes}
      rowKey={nodejsKey}
      sort={sort}
      onSort={onSort}
      onOpen={({ app, agent, pid }) =>
        navigate({ to: "/nodejs/$app/$agent/$pid", params: { app, agent, pid: String(pid) } })
      }
      rowHeight={46}
      restWidth={230}
      maxHeight={maxHeight}
    />
  );
}

function Process({ process }: { process: NodejsProcess }) {
  const { t, language } = useWords();
  const { app, agent, pid, command, alive, reports, last_seen } = process;
  const health = processHealth(process);
  const state = !alive
    ? t("nodejs.ended", { ago: last_seen ? ago(last_seen, language) : "" })
    : reports
      ? t(`nodejs.health.${health}`)
      : t("nodejs.unreported");
  return (
    <Link
      to="/nodejs/$app/$agent/$pid"
      params={{ app, agent, pid: String(pid) }}
      preload={false}
      style={alive ? undefined : { color: "var(--s-muted)" }}
    >
      <Name mono mark={<HealthMark health={health} size={10} label={state} />}>
        {command || t("job.pid", { pid })}
      </Name>
      <span className="ellipsis muted" style={{ fontSize: "0.72rem", lineHeight: 1.2, paddingLeft: 18 }}>
        {t("job.pid", { pid })}
        {(!alive || !reports) && ` · ${state}`}
        {process.threads.length > 1 && ` · ${t("nodejs.threads", { count: process.threads.length })}`}
      </span>
    </Link>
  );
}
