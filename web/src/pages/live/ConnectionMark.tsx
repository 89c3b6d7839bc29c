import { duration, text } from "../../domain/format";
import type { Health } from "../../domain/health";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { useClock } from "../../parts/useClock";
import { TEST_IDS } from "../../testIds";
import classes from "./LivePage.module.css";
import type { LiveStream } from "./useLive";

/** From the end of a request to this view. */
const LATE_MS = 5_000;

interface Props {
  stream: LiveStream;
  paused: boolean;
}

/** Whether what is shown is of now: how far it lags, or why nothing comes. */
export function ConnectionMark({ stream: { state, connection }, paused }: Props) {
  const { t } = useWords();
  const seconds = useSecondsUntil(connection.kind === "lost" && !paused ? connection.again_at : undefined);
  const behind = state?.behind_ms ?? null;
  const [health, said]: [Health, string] = paused
    ? ["idle", t("live.paused")]
    : connection.kind === "lost"
      ? ["error", t("live.lost", { seconds })]
      : connection.kind === "trouble"
        ? ["error", t("live.trouble", { message: connection.message })]
        : connection.kind === "connecting"
          ? ["idle", t("live.connecting")]
          : behind === null
            ? ["idle", t("live.silent")]
            : [
                behind > LATE_MS ? "warn" : "ok",
                t("live.behind", { duration: text(duration(Math.round(behind / 100) * 100)) }),
              ];
  return (
    <span className={classes.behind} data-testid={TEST_IDS.liveBehind} role="status">
      <HealthMark health={health} />
      {said}
    </span>
  );
}

function useSecondsUntil(moment: number | undefined): number {
  const now = useClock(moment !== undefined);
  return moment === undefined ? 0 : Math.max(0, Math.ceil((moment - now) / 1000));
}
