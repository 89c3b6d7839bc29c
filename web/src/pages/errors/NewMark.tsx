import type { DeployMark } from "../../api/errorsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import classes from "./NewMark.module.css";

/** Says that an error was never seen before a deploy. */
export function NewMark({ since }: { since: DeployMark }) {
  const { t } = useWords();
  const { service, version, time } = since;
  return (
    <span
      className={classes.mark}
      title={t("errors.newSince.long", { service, version, time: moment(time, "minute") })}
    >
      {t("errors.newSince", { version })}
    </span>
  );
}
