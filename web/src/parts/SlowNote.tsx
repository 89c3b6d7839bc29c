import { useEffect, useState } from "react";

import { useWords } from "../i18n";
import { HealthMark } from "./HealthMark";
import classes from "./Loaded.module.css";

/** Somebody who has waited so long is told that it is not their browser. */
export const SLOW_AFTER_MS = 8000;

/** Nothing at first; then a word that whatever is loading takes long. */
export function SlowNote() {
  const { t } = useWords();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!slow) return null;
  return (
    <div className={classes.stale} role="status">
      <HealthMark health="warn" /> {t("loading.slow")}
    </div>
  );
}
