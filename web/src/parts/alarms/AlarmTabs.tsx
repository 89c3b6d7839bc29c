import { Link } from "@tanstack/react-router";

import { useWords } from "../../i18n";
import classes from "./Alarms.module.css";

const TABS = [
  ["/alarms", "alarms.tab.now"],
  ["/alarms/history", "alarms.tab.history"],
  ["/alarms/rules", "alarms.tab.rules"],
  ["/alarms/notifiers", "alarms.tab.notifiers"],
] as const;

/** The pages about alarms. */
export function AlarmTabs() {
  const { t } = useWords();
  return (
    <nav className={classes.tabs} aria-label={t("nav.alarms")}>
      {TABS.map(([to, label]) => (
        <Link
          key={to}
          to={to}
          className={classes.tab}
          activeOptions={{ exact: to === "/alarms", includeSearch: false }}
          activeProps={{ "data-active": true, "aria-current": "page" }}
        >
          {t(label)}
        </Link>
      ))}
    </nav>
  );
}
