import { useQuery } from "@tanstack/react-query";

import { alarmSummaryQuery } from "../../api/alarms";
import { useWords } from "../../i18n";
import classes from "./Alarms.module.css";

/** How many alarms fire, beside their place in the navigation; nothing while none does. */
export function AlarmCount() {
  const { t } = useWords();
  const { data } = useQuery(alarmSummaryQuery);
  if (!data || data.firing === 0) return null;
  const words = t("alarms.firing", { count: data.firing });
  return (
    <span className={classes.count} data-critical={data.critical > 0 || undefined} title={words}>
      <span aria-hidden="true">{data.firing}</span>
      <span className="visually-hidden">{words}</span>
    </span>
  );
}
