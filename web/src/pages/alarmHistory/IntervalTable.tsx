import { Link } from "@tanstack/react-router";

import type { AlarmInterval } from "../../api/alarmsTypes";
import { moment, NOTHING, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { AlarmMark } from "../../parts/alarms/AlarmMark";
import classes from "../../parts/alarms/Alarms.module.css";
import { amountOf, between, FLAPS, groupText, said } from "../../parts/alarms/amounts";
import { type Column, DataTable } from "../../parts/DataTable";

interface Props {
  intervals: readonly AlarmInterval[];
  sort: string | undefined;
  onSort: (sort: string) => void;
}

/** Each time that a group of a rule fired. */
export function IntervalTable({ intervals, sort = "-began", onSort }: Props) {
  const { t } = useWords();
  const lasted = ({ started_at, ended_at }: AlarmInterval) =>
    (ended_at ? new Date(ended_at).getTime() : Date.now()) - new Date(started_at).getTime();
  const columns: Column<AlarmInterval>[] = [
    {
      key: "rule",
      header: t("alarms.alarm"),
      sortBy: ({ rule, group }) => `${rule} ${groupText(group)}`,
      cell: ({ rule, rule_id, group, severity, flap_score }) => (
        <span className={classes.marked}>
          <AlarmMark severity={severity} />
          <span className={classes.two}>
            <Link to="/alarms/rules/$rule" params={{ rule: rule_id }} className="ellipsis" title={rule}>
              {rule}
            </Link>
            <span className={`ellipsis ${classes.second}`} title={groupText(group)}>
              {[groupText(group), flap_score >= FLAPS && `${t("alarms.flaps")} ${flap_score.toFixed(2)}`]
                .filter(Boolean)
                .join(", ")}
            </span>
          </span>
        </span>
      ),
    },
    {
      key: "began",
      header: t("alarms.began"),
      width: 150,
      phoneLast: true,
      firstDescending: true,
      sortBy: ({ started_at }) => new Date(started_at).getTime(),
      cell: ({ started_at }) => <span title={moment(started_at)}>{moment(started_at, "minute")}</span>,
    },
    {
      key: "lasted",
      header: t("alarms.lasted"),
      width: 110,
      align: "right",
      sortBy: lasted,
      cell: ({ started_at, ended_at }) => between(started_at, ended_at),
    },
    {
      key: "peak",
      header: t("alarms.peak"),
      width: 150,
      align: "right",
      cell: ({ peak, threshold, op, unit }) => (
        <span className={classes.two}>
          <b>{text(amountOf(unit)(peak))}</b>
          <span className={classes.second}>{`${op} ${said(threshold, unit)}`}</span>
        </span>
      ),
    },
    {
      key: "ended",
      header: t("alarms.ended"),
      width: 140,
      cell: ({ ended_by }) => (ended_by ? t(`alarms.ended.${ended_by}`) : <b>{t("alarms.history.open")}</b>),
    },
    {
      key: "told",
      header: t("alarms.told"),
      width: 80,
      cell: ({ told }) => t(told ? "alarms.told.yes" : "alarms.told.no"),
    },
    {
      key: "acknowledged",
      header: t("alarms.acknowledged"),
      width: 140,
      cell: ({ acknowledged_by, acknowledged_at, note }) => (
        <span className={classes.two} title={acknowledged_at ? `${moment(acknowledged_at)} ${note}` : ""}>
          <span className="ellipsis">{acknowledged_by || NOTHING}</span>
          <span className={`ellipsis ${classes.second}`}>{note}</span>
        </span>
      ),
    },
  ];
  return (
    <DataTable
      label={t("alarms.tab.history")}
      columns={columns}
      rows={intervals}
      rowKey={({ id }) => id}
      sort={sort}
      onSort={onSort}
      rowHeight={50}
      restWidth={220}
    />
  );
}
