import { Fragment } from "react";

import type { AlarmInterval } from "../../api/alarmsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { groupText } from "../../parts/alarms/amounts";
import { Blocks } from "../../parts/alarms/Blocks";
import { timelineRows } from "./rows";
import classes from "./Timeline.module.css";

const MOST_ROWS = 20;

interface Props {
  intervals: readonly AlarmInterval[];
  /** Epoch milliseconds. */
  from: number;
  to: number;
  onRule: (rule_id: string) => void;
}

/** When each group of each rule fired, as blocks under each other. */
export function Timeline({ intervals, from, to, onRule }: Props) {
  const { t } = useWords();
  const rows = timelineRows(intervals);
  return (
    <div className={classes.rows}>
      {rows.slice(0, MOST_ROWS).map(({ key, rule_id, rule, group, intervals: own }) => {
        const name = [rule, groupText(group)].filter(Boolean).join(", ");
        return (
          <Fragment key={key}>
            <button type="button" className={classes.rule} title={name} onClick={() => onRule(rule_id)}>
              <span className="ellipsis">{rule}</span>
              <span className={`muted ellipsis ${classes.group}`}>{groupText(group)}</span>
            </button>
            <Blocks label={name} intervals={own} from={from} to={to} />
            <span className="muted">{t("alarms.history.times", { count: own.length })}</span>
          </Fragment>
        );
      })}
      <span className="muted">{rows.length > MOST_ROWS && t("alarms.more", { count: rows.length - MOST_ROWS })}</span>
      <span className={classes.times}>
        <span>{moment(from, "minute")}</span>
        <span>{moment(to, "minute")}</span>
      </span>
      <span />
    </div>
  );
}
