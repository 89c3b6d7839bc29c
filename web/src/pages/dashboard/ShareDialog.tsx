import { Button, Modal, Select, Stack } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { dashboardsApi, sharesQuery, type Values } from "../../api/dashboards";
import type { Share } from "../../api/dashboardsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { Command } from "../../parts/Command";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { type Column, DataTable } from "../../parts/DataTable";
import { Loaded } from "../../parts/Loaded";
import { TableSkeleton } from "../../parts/Skeletons";
import { TEST_IDS } from "../../testIds";

const DAYS = ["1", "7", "30", "365", ""] as const;
const DAY_MS = 86_400_000;

interface Props {
  dashboard: string;
  values: Values;
  opened: boolean;
  onClose: () => void;
}

/** Links to look at a dashboard without an account: make one, see them, end them. */
export function ShareDialog({ dashboard, values, opened, onClose }: Props) {
  const { t } = useWords();
  const client = useQueryClient();
  const [days, setDays] = useState<string>("7");
  const shares = useQuery({ ...sharesQuery(dashboard), enabled: opened });
  const refresh = () => client.invalidateQueries({ queryKey: sharesQuery(dashboard).queryKey });
  const make = useMutation({
    mutationFn: () => {
      const end = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
      return dashboardsApi.share(dashboard, values, end);
    },
    onSuccess: refresh,
  });
  const revoke = useMutation({ mutationFn: (id: string) => dashboardsApi.revoke(dashboard, id), onSuccess: refresh });
  const chosen = Object.entries(values).map(([name, value]) => `${name} = ${value || "–"}`);
  const columns: Column<Share>[] = [
    {
      key: "made",
      header: t("dashboards.share.made"),
      cell: (share) => `${moment(share.created_at, "minute")}, ${share.created_by}`,
    },
    {
      key: "ends",
      header: t("dashboards.share.ends"),
      width: 150,
      cell: ({ expires_at }) => (expires_at ? moment(expires_at, "minute") : t("dashboards.share.never")),
    },
    {
      key: "revoke",
      header: "",
      width: 90,
      align: "right",
      cell: ({ id }) => (
        <ConfirmButton
          label={t("dashboards.share.revoke")}
          confirm={t("dashboards.share.revoke")}
          onConfirm={() => revoke.mutate(id)}
        />
      ),
    },
  ];
  return (
    <Modal opened={opened} onClose={onClose} title={t("dashboards.share.title")} size="lg">
      <Stack gap="sm">
        <p style={{ margin: 0 }}>{t("dashboards.share.hint")}</p>
        {chosen.length > 0 && (
          <p style={{ margin: 0 }}>{t("dashboards.share.values", { values: chosen.join(", ") })}</p>
        )}
        <Select
          label={t("dashboards.share.ends")}
          value={days}
          onChange={(next) => setDays(next ?? "")}
          allowDeselect={false}
          data={DAYS.map((count) => ({
            value: count,
            label: count ? t("dashboards.share.days", { count }) : t("dashboards.share.never"),
          }))}
        />
        <Button loading={make.isPending} onClick={() => make.mutate()} data-testid={TEST_IDS.dashboardShare}>
          {t("dashboards.share.make")}
        </Button>
        {(make.error ?? revoke.error) && (
          <span role="alert" style={{ color: "var(--mantine-color-error)" }}>
            {(make.error ?? revoke.error)?.message}
          </span>
        )}
        {make.data && (
          <div data-testid={TEST_IDS.dashboardLink}>
            <p style={{ margin: "0 0 6px" }}>{t("dashboards.share.once")}</p>
            <Command>{`${window.location.origin}/shared/${make.data.token}`}</Command>
          </div>
        )}
        <Loaded query={shares} skeleton={<TableSkeleton />}>
          {(all) =>
            all.length > 0 && (
              <DataTable
                label={t("dashboards.share.title")}
                columns={columns}
                rows={all}
                rowKey={({ id }) => id}
                maxHeight="240px"
              />
            )
          }
        </Loaded>
      </Stack>
    </Modal>
  );
}
