import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";

import { notifiersQuery } from "../../api/alarms";
import type { AlarmNotifier } from "../../api/alarmsTypes";
import { appsQuery } from "../../api/queries";
import { ago, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import classes from "../../parts/alarms/Alarms.module.css";
import { AlarmTabs } from "../../parts/alarms/AlarmTabs";
import { DeliveryPanel } from "../../parts/alarms/DeliveryPanel";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";

const route = getRouteApi("/in/alarms/notifiers");

/** Whom to tell, and how telling them goes. */
export default function AlarmNotifiersPage() {
  const { t, language } = useWords();
  const { sort = "name" } = route.useSearch();
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const notifiers = useQuery(notifiersQuery);
  const apps = useQuery(appsQuery);
  const appName = (id: string) => apps.data?.find((app) => app.id === id)?.name ?? id;
  const columns: Column<AlarmNotifier>[] = [
    {
      key: "name",
      header: t("name"),
      sortBy: ({ notifier }) => notifier.name,
      cell: ({ id, notifier, last_problem }) => (
        <span className={classes.marked}>
          <HealthMark
            health={!notifier.enabled ? "idle" : last_problem ? "error" : "ok"}
            label={last_problem || notifier.name}
          />
          <span className={classes.two}>
            <Link to="/alarms/notifiers/$notifier" params={{ notifier: id }} className="ellipsis" title={notifier.name}>
              {notifier.name}
            </Link>
            <span className={`ellipsis ${classes.second}`} title={last_problem}>
              {last_problem}
            </span>
          </span>
        </span>
      ),
    },
    {
      key: "kind",
      header: t("kind"),
      width: 110,
      sortBy: ({ notifier }) => notifier.kind,
      cell: ({ notifier }) => t(`alarms.notifiers.kind.${notifier.kind}`),
    },
    {
      key: "target",
      header: t("alarms.notifiers.target"),
      width: 280,
      cell: ({ target }) => (
        <span className="ellipsis" title={target}>
          {target}
        </span>
      ),
    },
    {
      key: "sent",
      header: t("alarms.notifiers.lastSent"),
      width: 140,
      sortBy: ({ last_sent_at }) => last_sent_at ?? "",
      cell: ({ last_sent_at }) => (last_sent_at ? ago(last_sent_at, language) : NOTHING),
    },
    {
      key: "waiting",
      header: t("alarms.notifiers.waiting"),
      width: 90,
      align: "right",
      sortBy: ({ waiting }) => waiting,
      cell: ({ waiting }) => waiting,
    },
    {
      key: "app",
      header: t("alarms.app"),
      width: 130,
      sortBy: ({ app }) => appName(app),
      cell: ({ app }) => appName(app),
    },
  ];
  const open = (notifier: string) => navigate({ to: "/alarms/notifiers/$notifier", params: { notifier } });
  return (
    <Page
      title={`${t("nav.alarms")} · ${t("alarms.tab.notifiers")}`}
      tools={
        <>
          <AlarmTabs />
          {mayChange && (
            <Button
              size="xs"
              ml="auto"
              leftSection={<IconPlus size={14} />}
              onClick={() => open("new")}
              data-testid={TEST_IDS.notifierNew}
            >
              {t("alarms.notifiers.new")}
            </Button>
          )}
        </>
      }
    >
      <Loaded query={notifiers} skeleton={<TableSkeleton />}>
        {(all) => (
          <Panel flush testId={TEST_IDS.notifiersTable}>
            {all.length === 0 ? (
              <Empty title={t("alarms.notifiers.none")}>{t("alarms.notifiers.noneHint")}</Empty>
            ) : (
              <DataTable
                label={t("alarms.tab.notifiers")}
                columns={columns}
                rows={all}
                rowKey={({ id }) => id}
                sort={sort}
                onSort={(next) => navigate({ to: ".", search: (before) => ({ ...before, sort: next }), replace: true })}
                rowHeight={50}
                onOpen={({ id }) => open(id)}
              />
            )}
          </Panel>
        )}
      </Loaded>
      <DeliveryPanel />
    </Page>
  );
}
