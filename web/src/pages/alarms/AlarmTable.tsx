import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { alarmsApi } from "../../api/alarms";
import type { Alarm } from "../../api/alarmsTypes";
import { ago, moment, NOTHING, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { AlarmMark } from "../../parts/alarms/AlarmMark";
import classes from "../../parts/alarms/Alarms.module.css";
import { amountOf, FLAPS, groupText, said } from "../../parts/alarms/amounts";
import { Failed } from "../../parts/alarms/Failed";
import { type Column, DataTable } from "../../parts/DataTable";
import { Sparkline } from "../../parts/Sparkline";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";

interface Props {
  alarms: readonly Alarm[];
  onSilence: (alarm: Alarm) => void;
  onAcknowledge: (alarm: Alarm) => void;
}

/** In the order of the server: the worst first. */
export function AlarmTable({ alarms, onSilence, onAcknowledge }: Props) {
  const { t, language } = useWords();
  const mayChange = useMayChange();
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ["alarms"] });
  const takeBack = useMutation({ mutationFn: (id: string) => alarmsApi.takeBack(id), onSuccess: refresh });
  const columns: Column<Alarm>[] = [
    {
      key: "alarm",
      header: t("alarms.alarm"),
      cell: ({ rule, rule_id, group, severity, state, description }) => (
        <span className={classes.marked}>
          <AlarmMark severity={severity} state={state} />
          <span className={classes.two}>
            <Link
              to="/alarms/rules/$rule"
              params={{ rule: rule_id }}
              className="ellipsis"
              title={description ? `${rule}\n${description}` : rule}
            >
              {rule}
            </Link>
            <span className={`ellipsis ${classes.second}`} title={groupText(group)}>
              {groupText(group)}
            </span>
          </span>
        </span>
      ),
    },
    {
      key: "state",
      header: t("alarms.state"),
      width: 150,
      phoneLast: true,
      cell: ({ state, suppressed_by, flap_score }) => (
        <span className={classes.two}>
          <span>{t(`alarms.state.${state}`)}</span>
          <span className={`ellipsis ${classes.second}`}>
            {suppressed_by
              ? t(`alarms.suppressed.${suppressed_by}`)
              : flap_score >= FLAPS
                ? `${t("alarms.flaps")} ${flap_score.toFixed(2)}`
                : ""}
          </span>
        </span>
      ),
    },
    {
      key: "value",
      header: t("alarms.value"),
      width: 150,
      align: "right",
      cell: ({ value, threshold, unit, what, op }) => (
        <span className={classes.two}>
          <b>{text(amountOf(unit, what)(value))}</b>
          <span className={classes.second}>{`${op} ${said(threshold, unit, what)}`}</span>
        </span>
      ),
    },
    {
      key: "recent",
      header: t("alarms.recent"),
      width: 150,
      phoneLast: true,
      cell: ({ recent, rule }) => <Sparkline values={recent} label={rule} />,
    },
    {
      key: "since",
      header: t("alarms.since"),
      width: 120,
      cell: ({ since }) => <span title={moment(since)}>{ago(since, language)}</span>,
    },
    {
      key: "acknowledged",
      header: t("alarms.acknowledged"),
      width: 130,
      cell: ({ acknowledged_by, acknowledged_at, note }) => (
        <span className={classes.two} title={acknowledged_at ? `${moment(acknowledged_at)} ${note}` : ""}>
          <span className="ellipsis">{acknowledged_by || NOTHING}</span>
          <span className={`ellipsis ${classes.second}`}>{note}</span>
        </span>
      ),
    },
  ];
  if (mayChange) {
    columns.push({
      key: "actions",
      header: "",
      width: 210,
      cell: (alarm) => (
        <span className={classes.actions}>
          {alarm.id !== null && (
            <Button
              size="compact-xs"
              variant="default"
              loading={takeBack.variables === alarm.id && takeBack.isPending}
              onClick={() => (alarm.acknowledged_at ? takeBack.mutate(alarm.id as string) : onAcknowledge(alarm))}
              data-testid={TEST_IDS.alarmAcknowledge}
            >
              {t(alarm.acknowledged_at ? "alarms.takeBack" : "alarms.acknowledge")}
            </Button>
          )}
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => onSilence(alarm)}
            data-testid={TEST_IDS.alarmSilence}
          >
            {t("alarms.silence")}
          </Button>
        </span>
      ),
    });
  }
  return (
    <>
      <Failed error={takeBack.error} />
      <DataTable
        label={t("nav.alarms")}
        columns={columns}
        rows={alarms}
        rowKey={({ rule_id, group }) => `${rule_id} ${JSON.stringify(group)}`}
        rowHeight={50}
        restWidth={220}
      />
    </>
  );
}
