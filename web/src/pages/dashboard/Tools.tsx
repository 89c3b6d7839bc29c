import { Button } from "@mantine/core";
import { IconCopy, IconDownload, IconPencil, IconShare } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import { DASHBOARDS, dashboardQuery, dashboardsApi, type Values } from "../../api/dashboards";
import type { Dashboard, DashboardDocument } from "../../api/dashboardsTypes";
import { useWords } from "../../i18n";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { InAppButton } from "../../parts/dashboard/InAppButton";
import { TEST_IDS } from "../../testIds";
import { ShareDialog } from "./ShareDialog";

const route = getRouteApi("/in/dashboards/$id");

interface Props {
  dashboard: Dashboard;
  draft: DashboardDocument;
  values: Values;
  editing: boolean;
}

/** What can be done with a dashboard. One that comes with Sonde can be copied only. */
export function Tools({ dashboard, draft, values, editing }: Props) {
  const { t, language } = useWords();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const [sharing, setSharing] = useState(false);
  const forget = () => client.invalidateQueries({ queryKey: DASHBOARDS });
  const edit = (on: boolean) => navigate({ search: (before) => ({ ...before, edit: on || undefined }) });
  const save = useMutation({
    mutationFn: () => dashboardsApi.save(dashboard.id, dashboard.version, draft),
    onSuccess: async (saved) => {
      await edit(false);
      client.setQueryData(dashboardQuery(dashboard.id, language).queryKey, saved);
      await forget();
    },
  });
  const copy = useMutation({
    mutationFn: (app: string) =>
      dashboardsApi.create(app, { ...draft, title: t("dashboards.copyOf", { title: draft.title }) }),
    onSuccess: async ({ id }) => {
      await forget();
      await navigate({ to: "/dashboards/$id", params: { id }, search: (before) => ({ ...before, edit: true }) });
    },
  });
  const remove = useMutation({
    mutationFn: () => dashboardsApi.remove(dashboard.id),
    onSuccess: async () => {
      await forget();
      await navigate({ to: "/dashboards", search: {} });
    },
  });
  const failed = save.error ?? copy.error ?? remove.error;
  if (editing) {
    return (
      <>
        {failed && <Failed message={failed.message} />}
        <Button size="xs" variant="default" ml="auto" onClick={() => edit(false)}>
          {t("dashboards.discard")}
        </Button>
        <Button size="xs" loading={save.isPending} onClick={() => save.mutate()} data-testid={TEST_IDS.dashboardSave}>
          {t("dashboards.save")}
        </Button>
      </>
    );
  }
  const file = `data:application/json,${encodeURIComponent(JSON.stringify(dashboard.document, null, 2))}`;
  return (
    <>
      {failed && <Failed message={failed.message} />}
      <Button
        size="xs"
        variant="default"
        ml="auto"
        component="a"
        href={file}
        download={`${dashboard.document.title}.json`}
        leftSection={<IconDownload size={14} />}
      >
        {t("dashboards.export")}
      </Button>
      <InAppButton
        variant="default"
        leftSection={<IconCopy size={14} />}
        loading={copy.isPending}
        onChoose={(app) => copy.mutate(app)}
        testId={TEST_IDS.dashboardCopy}
      >
        {t("dashboards.copy")}
      </InAppButton>
      {dashboard.app !== null && (
        <>
          <Button size="xs" variant="default" leftSection={<IconShare size={14} />} onClick={() => setSharing(true)}>
            {t("dashboards.share")}
          </Button>
          <Button size="xs" leftSection={<IconPencil size={14} />} onClick={() => edit(true)}>
            {t("dashboards.edit")}
          </Button>
          <ConfirmButton
            label={t("dashboards.delete")}
            confirm={t("dashboards.deleteSure")}
            onConfirm={() => remove.mutate()}
          />
          <ShareDialog dashboard={dashboard.id} values={values} opened={sharing} onClose={() => setSharing(false)} />
        </>
      )}
    </>
  );
}

const Failed = ({ message }: { message: string }) => (
  <span role="alert" style={{ color: "var(--mantine-color-error)" }}>
    {message}
  </span>
);
