import type { NodeType } from "../../api/types";
import type { Health } from "../../domain/health";
import { useWords } from "../../i18n";
import { TYPE_ICONS } from "../../parts/graph/typeIcons";
import { HealthMark } from "../../parts/HealthMark";
import classes from "./MapPage.module.css";

const TYPES: readonly NodeType[] = ["service", "database", "cache", "messaging", "external", "client"];
const HEALTHS: readonly Health[] = ["ok", "warn", "error"];

export function Legend() {
  const { t } = useWords();
  return (
    <div className={classes.legend}>
      {TYPES.map((type) => (
        <span key={type} className={classes.legendItem}>
          <img src={TYPE_ICONS[type]} alt="" />
          {t(`type.${type}`)}
        </span>
      ))}
      <span className={classes.legendItem}>
        <span className={classes.dashed} />
        {t("map.message")}
      </span>
      {HEALTHS.map((health) => (
        <span key={health} className={classes.legendItem}>
          <HealthMark health={health} size={10} />
          {t(`health.${health}`)}
        </span>
      ))}
    </div>
  );
}
