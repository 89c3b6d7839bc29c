import { Button, FileButton } from "@mantine/core";
import { IconPlus, IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { DASHBOARDS, dashboardsApi, dashboardsQuery } from "../../api/dashboards";
import type { DashboardDocument, DashboardRow } from "../../api/dashboardsTypes";
import { appsQuery } from "../../api/queries";
import { ago, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { type Column, DataTable } from "../../parts/DataTable";
import { InAppButton } from "../../parts/dashboard/InAppButton";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";

const route = getRouteApi("/in/dashboards");

/** All dashboards: those that come with Sonde, and those that somebody made. */
export default function DashboardsPage() {
  const { t, language } = useWords();
  const { q, sort = "title" } = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMayChange();
  const dashboards = useQuery(dashboardsQuery(language));
  const apps = useQuery(appsQuery);
  const change = (next: { q?: string; sort?: string }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const appName = (id: string | null) =>
    id === null ? t("dashboards.ready") : (apps.data?.find((app) => app.id === id)?.name ?? id);
  const columns: Column<DashboardRow>[] = [
    {
      key: "title",
      header: t("dashboards.title"),
      sortBy: ({ title }) => title,
      cell: ({ id, title, description }) => (
        <Link to="/dashboards/$id" params={{ id }} className="ellipsis" title={description || title}>
          {title}
        </Link>
      ),
    },
    {
      key: "app",
      header: t("dashboards.app"),
      width: 180,
      sortBy: ({ app }) => appName(app),
      cell: ({ app }) => appName(app),
    },
    {
      key: "panels",
      header: t("dashboards.panels"),
      width: 90,
      align: "right",
      sortBy: (row) => row.panels,
      cell: (row) => row.panels,
    },
    {
      key: "changed",
      header: t("dashboards.changed"),
      width: 220,
      sortBy: ({ changed_at }) => changed_at ?? "",
      cell: ({ changed_at, changed_by }) =>
        changed_at ? <span title={changed_at}>{`${ago(changed_at, language)}, ${changed_by}`}</span> : NOTHING,
    },
  ];
  return (
    <Page
      title={t("nav.dashboards")}
      tools={
        <>
          <SearchField
            label={t("dashboards.search")}
            value={q ?? ""}
            onChange={(words) => change({ q: words || undefined })}
          />
          {mayChange && <NewDashboard />}
        </>
      }
    >
      <Loaded query={dashboards} skeleton={<TableSkeleton />}>
        {(all) => {
          const shown = all.filter(({ title }) => title.toLowerCase().includes((q ?? "").toLowerCase()));
          return (
            <Panel flush testId={TEST_IDS.dashboardsTable}>
              {shown.length === 0 ? (
                <Empty title={t("overview.noMatch", { words: q ?? "" })} />
              ) : (
                <DataTable
                  label={t("nav.dashboards")}
                  columns={columns}
                  rows={shown}
                  rowKey={({ id }) => id}
                  sort={sort}
                  onSort={(next) => change({ sort: next })}
                  onOpen={({ id }) => navigate({ to: "/dashboards/$id", params: { id } })}
                />
              )}
            </Panel>
          );
        }}
      </Loaded>
    </Page>
  );
}

/** An empty one, or one from a file. */
function NewDashboard() {
  const { t } = useWords();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: ({ app, document }: { app: string; document: DashboardDocument }) =>
      dashboardsApi.create(app, document),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: DASHBOARDS });
      await navigate({ to: "/dashboards/$id", params: { id }, search: { edit: true } });
    },
  });
  const read = useMutation({
    mutationFn: async (file: File) => JSON.parse(await file.text()) as DashboardDocument,
  });
  const imported = read.data;
  const failed = read.error ? t("dashboards.noJson") : create.error?.message;
  const empty = {
    schema_version: 1,
    title: t("dashboards.untitled"),
    description: "",
    variables: [],
    panels: [],
  } as const;
  return (
    <>
      {failed && (
        <span role="alert" style={{ color: "var(--mantine-color-error)" }}>
          {failed}
        </span>
      )}
      {imported ? (
        <InAppButton
          variant="default"
          leftSection={<IconUpload size={14} />}
          loading={create.isPending}
          onChoose={(app) => create.mutate({ app, document: imported })}
          testId={TEST_IDS.dashboardImport}
        >
          {t("dashboards.importNamed", { title: imported.title })}
        </InAppButton>
      ) : (
        <FileButton accept="application/json" onChange={(file) => file && read.mutate(file)}>
          {(props) => (
            <Button {...props} size="xs" variant="default" leftSection={<IconUpload size={14} />}>
              {t("dashboards.import")}
            </Button>
          )}
        </FileButton>
      )}
      <InAppButton
        leftSection={<IconPlus size={14} />}
        loading={create.isPending}
        onChoose={(app) => create.mutate({ app, document: { ...empty, variables: [], panels: [] } })}
        testId={TEST_IDS.dashboardNew}
      >
        {t("dashboards.new")}
      </InAppButton>
    </>
  );
}
