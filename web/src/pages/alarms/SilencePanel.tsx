import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { alarmsApi, silencesQuery } from "../../api/alarms";
import type { AlarmSilence } from "../../api/alarmsTypes";
import { moment, NOTHING } from "../../domain/format";
import { useWords } from "../../i18n";
import { groupText } from "../../parts/alarms/amounts";
import { Failed } from "../../parts/alarms/Failed";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { type Column, DataTable } from "../../parts/DataTable";
import { Panel } from "../../parts/Panel";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";

/** Silences that hold, are to come, or ended in the last day; nothing where there are none. */
export function SilencePanel() {
  const { t } = useWords();
  const mayChange = useMayChange();
  const client = useQueryClient();
  const silences = useQuery(silencesQuery);
  const end = useMutation({
    mutationFn: (id: string) => alarmsApi.endSilence(id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["alarms"] }),
  });
  if (!silences.data || silences.data.length === 0) return null;
  const columns: Column<AlarmSilence>[] = [
    {
      key: "rule",
      header: t("alarms.rule"),
      cell: ({ rule, group }) => (
        <span className="ellipsis">
          {rule || t("alarms.silences.everything")} <span className="muted">{groupText(group)}</span>
        </span>
      ),
    },
    {
      key: "active",
      header: t("alarms.state"),
      width: 110,
      cell: ({ active }) => (active ? t("alarms.silences.active") : NOTHING),
    },
    { key: "from", header: t("alarms.began"), width: 150, cell: ({ starts_at }) => moment(starts_at, "minute") },
    { key: "until", header: t("alarms.silences.until"), width: 150, cell: ({ ends_at }) => moment(ends_at, "minute") },
    {
      key: "comment",
      header: t("alarms.silence.comment"),
      width: 260,
      cell: ({ comment, created_by }) => (
        <span className="ellipsis" title={comment}>
          {created_by} <span className="muted">{comment}</span>
        </span>
      ),
    },
    {
      key: "end",
      header: "",
      width: 110,
      cell: ({ id, ends_at }) =>
        mayChange &&
        new Date(ends_at).getTime() > Date.now() && (
          <ConfirmButton
            label={t("alarms.silences.end")}
            confirm={t("alarms.silences.endSure")}
            onConfirm={() => end.mutate(id)}
          />
        ),
    },
  ];
  return (
    <Panel flush title={t("alarms.silences")} testId={TEST_IDS.silencesTable}>
      <Failed error={end.error} />
      <DataTable label={t("alarms.silences")} columns={columns} rows={silences.data} rowKey={({ id }) => id} />
    </Panel>
  );
}
