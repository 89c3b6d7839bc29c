import { ActionIcon, Button, Group } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { topQuery } from "../../api/nodes";
import type { TopProcess, TopProcesses } from "../../api/nodesTypes";
import { ago, bytes, count, moment, percent, plain, text } from "../../domain/format";
import type { Range } from "../../domain/range";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { TEST_IDS } from "../../testIds";
import { ProcessHistoryCharts } from "./ProcessHistoryCharts";

const route = getRouteApi("/in/nodes/$host");

/** The processes that used most, minute by minute; a chosen one over time. */
export function TopProcessPanel({ host, range }: { host: string; range: Range }) {
  const { t } = useWords();
  const { at, sort = "-cpu", pid, started } = route.useSearch();
  const navigate = route.useNavigate();
  const top = useQuery(topQuery(host, range, at));
  const change = (next: { at?: number; sort?: string; pid?: number; started?: number }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Panel
      title={t("nodes.top")}
      flush
      aside={top.data && <Minutes top={top.data} at={at} onChange={(next) => change({ at: next })} />}
    >
      <Loaded query={top} skeleton={<TableSkeleton />}>
        {(data) =>
          data === null ? (
            <Empty title={t("nodes.top.none")} />
          ) : (
            <>
              <TopTable
                top={data}
                sort={sort}
                onSort={(next) => change({ sort: next })}
                chosen={pid === undefined || started === undefined ? undefined : `${pid}/${started}`}
                onChoose={(row) =>
                  row.pid === pid
                    ? change({ pid: undefined, started: undefined })
                    : change({ pid: row.pid, started: new Date(row.started).getTime() })
                }
              />
              {pid !== undefined && started !== undefined && (
                <ProcessHistoryCharts host={host} pid={pid} started={started} range={range} />
              )}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

interface MinutesProps {
  top: TopProcesses;
  at: number | undefined;
  onChange: (at: number | undefined) => void;
}

function Minutes({ top, at, onChange }: MinutesProps) {
  const { t, language } = useWords();
  const times = top.times.map((time) => new Date(time).getTime());
  const shown = new Date(top.time).getTime();
  const before = times.findLast((time) => time < shown);
  const after = times.find((time) => time > shown);
  return (
    <Group gap={6} wrap="nowrap">
      <span className="muted" title={moment(top.time)}>
        {at === undefined ? ago(top.time, language) : moment(top.time, "time").slice(0, 8)},{" "}
        {t("nodes.top.of", { count: top.processes })}
      </span>
      <ActionIcon
        size="sm"
        variant="default"
        disabled={before === undefined}
        onClick={() => onChange(before)}
        aria-label={t("nodes.top.before")}
      >
        <IconChevronLeft size={14} />
      </ActionIcon>
      <ActionIcon
        size="sm"
        variant="default"
        disabled={after === undefined}
        onClick={() => onChange(after)}
        aria-label={t("nodes.top.after")}
      >
        <IconChevronRight size={14} />
      </ActionIcon>
      {at !== undefined && (
        <Button size="compact-xs" variant="subtle" onClick={() => onChange(undefined)}>
          {t("nodes.top.newest")}
        </Button>
      )}
    </Group>
  );
}

interface TableProps {
  top: TopProcesses;
  sort: string;
  onSort: (sort: string) => void;
  /** pid/start */
  chosen: string | undefined;
  onChoose: (row: TopProcess) => void;
}

function TopTable({ top, sort, onSort, chosen, onChoose }: TableProps) {
  const { t } = useWords();
  const columns = useMemo<Column<TopProcess>[]>(
    () => [
      {
        key: "name",
        header: t("nodes.top.process"),
        sortBy: ({ name }) => name,
        cell: (row) => (
          <button
            type="button"
            style={{ all: "unset", cursor: "pointer", display: "block", width: "100%" }}
            aria-pressed={`${row.pid}/${new Date(row.started).getTime()}` === chosen}
            onClick={(event) => {
              event.stopPropagation();
              onChoose(row);
            }}
          >
            <span className="ellipsis mono" title={row.command || row.name}>
              {row.command || row.name}
            </span>
          </button>
        ),
      },
      {
        key: "cpu",
        header: t("nodes.cpu"),
        width: 80,
        align: "right",
        firstDescending: true,
        sortBy: ({ cpu_cores }) => cpu_cores,
        cell: ({ cpu_cores }) => (
          <span title={cpu_cores === null ? t("nodes.top.begun") : t("nodes.top.ofCore")}>
            <Amount of={percent(cpu_cores)} unitWidth={2} />
          </span>
        ),
      },
      {
        key: "memory",
        header: t("nodes.memory"),
        width: 92,
        align: "right",
        firstDescending: true,
        sortBy: ({ memory_bytes }) => memory_bytes,
        cell: ({ memory_bytes }) => <Amount of={bytes(memory_bytes)} unitWidth={4} />,
      },
      {
        key: "service",
        header: t("service"),
        width: 130,
        sortBy: ({ service }) => service,
        cell: ({ service }) =>
          service && (
            <Link to="/services/$service" params={{ service }} preload={false} className="link ellipsis">
              {service}
            </Link>
          ),
      },
      {
        key: "pid",
        header: "PID",
        width: 84,
        align: "right",
        sortBy: ({ pid }) => pid,
        cell: ({ pid }) => pid,
      },
      {
        key: "user",
        header: t("nodes.top.user"),
        width: 100,
        sortBy: ({ user }) => user,
        cell: ({ user }) => (
          <span className="ellipsis" title={user}>
            {user}
          </span>
        ),
      },
      {
        key: "threads",
        header: t("nodes.top.threads"),
        width: 84,
        align: "right",
        firstDescending: true,
        sortBy: ({ threads }) => threads,
        cell: ({ threads }) => <Amount of={plain(threads, 0)} />,
      },
    ],
    [t, chosen, onChoose],
  );
  return (
    <DataTable
      label={`${t("nodes.top")}, ${text(count(top.items.length))}`}
      testId={TEST_IDS.nodeTop}
      columns={columns}
      rows={top.items}
      rowKey={({ pid, started }) => `${pid}/${new Date(started).getTime()}`}
      sort={sort}
      onSort={onSort}
      selected={chosen}
      onOpen={onChoose}
      rowHeight={32}
      restWidth={170}
      maxHeight="420px"
    />
  );
}
