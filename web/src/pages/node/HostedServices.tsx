import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import type { HostedService } from "../../api/nodesTypes";
import { ago, count, NOTHING, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Meter } from "../../parts/Meter";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";

/** Which services run on the host, process by process. */
export function HostedServices({ services }: { services: readonly HostedService[] }) {
  const { t, language } = useWords();
  const columns = useMemo<Column<HostedService>[]>(
    () => [
      {
        key: "service",
        header: t("service"),
        cell: ({ app, service }) => (
          <Link to="/services/$service" params={{ service }} search={{ app }} preload={false}>
            <Name>{service}</Name>
          </Link>
        ),
      },
      {
        key: "instance",
        header: t("nodes.instance"),
        width: 210,
        cell: ({ instance }) => (
          <span className="ellipsis mono" title={instance}>
            {instance}
          </span>
        ),
      },
      { key: "pid", header: "PID", width: 80, align: "right", cell: ({ pid }) => pid ?? NOTHING },
      {
        key: "version",
        header: t("nodes.version"),
        width: 110,
        cell: ({ version, language: spoken }) => (
          <span className="ellipsis" title={`${version} ${spoken}`}>
            {version || NOTHING} <span className="muted">{spoken}</span>
          </span>
        ),
      },
      {
        key: "files",
        header: t("nodes.openFiles"),
        width: 150,
        cell: ({ open_files, open_files_limit }) => {
          if (open_files === null) return <span className="muted">{NOTHING}</span>;
          if (open_files_limit === null) return text(count(open_files));
          const said = t("nodes.of", { used: text(count(open_files)), total: text(count(open_files_limit)) });
          return (
            <Meter fraction={open_files / open_files_limit} title={`${t("nodes.openFiles")}: ${said}`} detail={said} />
          );
        },
      },
      {
        key: "seen",
        header: t("figure.lastSeen"),
        width: 98,
        align: "right",
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language],
  );
  return (
    <Panel title={t("nodes.services")} flush>
      {services.length === 0 ? (
        <Empty title={t("nodes.services.none")} />
      ) : (
        <DataTable
          label={t("nodes.services")}
          testId={TEST_IDS.nodeServices}
          columns={columns}
          rows={services}
          rowKey={({ app, service, instance }) => `${app}/${service}/${instance}`}
          rowHeight={44}
          restWidth={150}
          maxHeight="360px"
        />
      )}
    </Panel>
  );
}
