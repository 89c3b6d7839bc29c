import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { HostNode } from "../../api/nodesTypes";
import { ago, bytes, bytesPerSecond, NOTHING, percent, plain, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Meter } from "../../parts/Meter";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";
import { AgentMark, AgentWords, SECOND_LINE } from "./AgentMark";
import { diskShare, fullest, memoryShare, swapShare } from "./fractions";

/** Of the services of a host; the others are in the words that appear on hover. */
const MOST_NAMED = 6;

interface Props {
  nodes: readonly HostNode[];
  sort: string;
  onSort: (sort: string) => void;
}

export function NodeTable({ nodes, sort, onSort }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<HostNode>[]>(() => {
    const used = (part: number, whole: number) => t("nodes.of", { used: text(bytes(part)), total: text(bytes(whole)) });
    return [
      {
        key: "host",
        header: t("nodes.host"),
        sortBy: ({ host }) => host,
        cell: (node) => (
          <Link to="/nodes/$host" params={{ host: node.host }} preload={false}>
            <Name mark={node.agent ? <AgentMark agent={node.agent} /> : undefined}>{node.host}</Name>
            {node.agent && node.agent.state !== "ok" ? (
              <AgentWords agent={node.agent} />
            ) : (
              <span className="ellipsis muted" style={SECOND_LINE} title={node.os}>
                {node.os}
              </span>
            )}
          </Link>
        ),
      },
      {
        key: "services",
        header: t("nodes.services"),
        width: 150,
        phoneLast: true,
        sortBy: ({ services }) => services.length,
        cell: ({ services }) => (
          <span className="ellipsis" title={services.join(", ")}>
            {services.slice(0, MOST_NAMED).map((service, index) => (
              <span key={service}>
                {index > 0 && ", "}
                <Link to="/services/$service" params={{ service }} preload={false} className="link">
                  {service}
                </Link>
              </span>
            ))}
          </span>
        ),
      },
      {
        key: "cpu",
        header: t("nodes.cpu"),
        width: 128,
        firstDescending: true,
        sortBy: ({ cpu_utilization }) => cpu_utilization,
        cell: ({ cpu_utilization, cpus }) => (
          <Meter
            fraction={cpu_utilization}
            title={`${t("nodes.cpu")} ${text(percent(cpu_utilization))}`}
            detail={t("nodes.cores", { count: cpus })}
          />
        ),
      },
      {
        key: "load",
        header: t("nodes.load"),
        width: 64,
        align: "right",
        sortBy: ({ load_1m }) => load_1m,
        cell: ({ load_1m }) => <Amount of={plain(load_1m, 2)} />,
      },
      {
        key: "memory",
        header: t("nodes.memory"),
        width: 150,
        firstDescending: true,
        sortBy: memoryShare,
        cell: (node) => {
          const detail = used(node.memory_used_bytes, node.memory_total_bytes);
          return <Meter fraction={memoryShare(node)} title={`${t("nodes.memory")}: ${detail}`} detail={detail} />;
        },
      },
      {
        key: "swap",
        header: t("nodes.swap"),
        width: 140,
        firstDescending: true,
        sortBy: swapShare,
        cell: (node) => {
          if (node.swap_total_bytes === 0) return <span className="muted">{t("nodes.noSwap")}</span>;
          const detail = used(node.swap_used_bytes, node.swap_total_bytes);
          return <Meter fraction={swapShare(node)} title={`${t("nodes.swap")}: ${detail}`} detail={detail} />;
        },
      },
      {
        key: "disk",
        header: t("nodes.disk"),
        width: 158,
        firstDescending: true,
        sortBy: diskShare,
        cell: (node) => {
          const disk = fullest(node.filesystems);
          if (!disk) return <span className="muted">{NOTHING}</span>;
          const detail = `${disk.mountpoint} ${used(disk.used_bytes, disk.total_bytes)}`;
          return <Meter fraction={diskShare(node)} title={detail} detail={detail} />;
        },
      },
      {
        key: "network",
        header: t("nodes.network"),
        width: 106,
        align: "right",
        sortBy: (node) => sum(node.network_receive_bytes_per_s, node.network_transmit_bytes_per_s),
        cell: (node) => (
          <Pair
            first={["↓", node.network_receive_bytes_per_s, t("nodes.received")]}
            second={["↑", node.network_transmit_bytes_per_s, t("nodes.sent")]}
          />
        ),
      },
      {
        key: "io",
        header: t("nodes.io"),
        width: 106,
        align: "right",
        sortBy: (node) => sum(node.disk_read_bytes_per_s, node.disk_write_bytes_per_s),
        cell: (node) => (
          <Pair
            first={["R", node.disk_read_bytes_per_s, t("nodes.read")]}
            second={["W", node.disk_write_bytes_per_s, t("nodes.written")]}
          />
        ),
      },
      {
        key: "processes",
        header: t("nodes.processes"),
        width: 84,
        align: "right",
        sortBy: ({ processes }) => processes,
        cell: ({ processes }) => <Amount of={plain(processes, 0)} />,
      },
      {
        key: "seen",
        header: t("figure.lastSeen"),
        width: 98,
        align: "right",
        sortBy: ({ agent, last_seen }) => new Date(agent?.last_seen ?? last_seen).getTime(),
        cell: ({ agent, last_seen }) => <span className="muted">{ago(agent?.last_seen ?? last_seen, language)}</span>,
      },
    ];
  }, [t, language]);
  return (
    <DataTable
      label={t("nav.nodes")}
      testId={TEST_IDS.nodesTable}
      columns={columns}
      rows={nodes}
      rowKey={({ host_id, host }) => `${host_id}/${host}`}
      sort={sort}
      onSort={onSort}
      onOpen={({ host }) => navigate({ to: "/nodes/$host", params: { host } })}
      rowHeight={52}
      restWidth={190}
      maxHeight="calc(100dvh - 130px)"
    />
  );
}

const sum = (a: number | null, b: number | null) => (a === null && b === null ? null : (a ?? 0) + (b ?? 0));

type Flow = [mark: string, bytes_per_s: number | null, title: string];

function Pair({ first, second }: { first: Flow; second: Flow }) {
  return (
    <>
      {[first, second].map(([mark, flow, title]) => (
        <div key={mark} title={title} style={{ lineHeight: 1.35 }}>
          <span className="muted">{mark} </span>
          <Amount of={bytesPerSecond(flow)} unitWidth={6} />
        </div>
      ))}
    </>
  );
}
