import { useInfiniteQuery } from "@tanstack/react-query";

import { deliveriesQuery } from "../../api/alarms";
import type { AlarmDelivery, DeliveryState } from "../../api/alarmsTypes";
import { moment } from "../../domain/format";
import type { Health } from "../../domain/health";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { HealthMark } from "../HealthMark";
import { Loaded } from "../Loaded";
import { Panel } from "../Panel";
import { TableSkeleton } from "../Skeletons";
import classes from "./Alarms.module.css";

const HEALTH: Record<DeliveryState, Health> = { waiting: "idle", sent: "ok", failed: "error", dropped: "warn" };

/** Messages of one notifier, or of all, and how delivering them went. */
export function DeliveryPanel({ notifier }: { notifier?: string }) {
  const { t } = useWords();
  const deliveries = useInfiniteQuery(deliveriesQuery(notifier));
  const columns: Column<AlarmDelivery>[] = [
    {
      key: "state",
      header: t("alarms.state"),
      width: 110,
      cell: ({ state }) => (
        <span className={classes.marked}>
          <HealthMark health={HEALTH[state]} label={t(`alarms.delivery.${state}`)} /> {t(`alarms.delivery.${state}`)}
        </span>
      ),
    },
    { key: "time", header: t("time"), width: 150, cell: ({ created_at }) => moment(created_at, "minute") },
    {
      key: "message",
      header: t("alarms.deliveries.message"),
      cell: ({ title }) => (
        <span className="ellipsis" title={title}>
          {title}
        </span>
      ),
    },
    {
      key: "attempts",
      header: t("alarms.deliveries.attempts"),
      width: 70,
      align: "right",
      cell: ({ attempts }) => attempts,
    },
    {
      key: "answer",
      header: t("alarms.deliveries.answer"),
      width: 300,
      cell: ({ answer }) => (
        <span className="ellipsis" title={answer}>
          {answer}
        </span>
      ),
    },
  ];
  if (notifier === undefined) {
    columns.splice(2, 0, {
      key: "notifier",
      header: t("name"),
      width: 150,
      cell: (row) => (
        <span className="ellipsis" title={row.notifier}>
          {row.notifier}
        </span>
      ),
    });
  }
  return (
    <Panel flush title={t("alarms.deliveries")} testId={TEST_IDS.deliveriesTable}>
      <Loaded query={deliveries} skeleton={<TableSkeleton rows={3} />}>
        {({ pages }) => {
          const rows = pages.flatMap(({ items }) => items);
          if (rows.length === 0) return <Empty title={t("alarms.deliveries.none")} />;
          return (
            <DataTable
              label={t("alarms.deliveries")}
              columns={columns}
              rows={rows}
              rowKey={({ id }) => id}
              maxHeight="50dvh"
              onEnd={() => {
                if (deliveries.hasNextPage && !deliveries.isFetchingNextPage) void deliveries.fetchNextPage();
              }}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}
