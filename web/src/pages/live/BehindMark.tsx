import type { Live } from "../../api/types";
import { duration, text } from "../../domain/format";
import type { Health } from "../../domain/health";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./LivePage.module.css";

/** From the newest stored span to now. Little traffic looks like a lag, so only a long silence is an error. */
const LATE_MS = 5_000;
const SILENT_MS = 30_000;

export function BehindMark({ live, paused }: { live: Live | undefined; paused: boolean }) {
  const { t } = useWords();
  if (!live) return null;
  const behind = live.behind_ms;
  const health: Health =
    paused || behind === null ? "idle" : behind > SILENT_MS ? "error" : behind > LATE_MS ? "warn" : "ok";
  return (
    <span className={classes.behind} data-testid={TEST_IDS.liveBehind}>
      <HealthMark health={health} />
      {paused
        ? t("live.paused")
        : behind === null
          ? t("live.silent")
          : t("live.behind", { duration: text(duration(Math.round(behind / 100) * 100)) })}
    </span>
  );
}
