import { duration, percent, rate } from "../../domain/format";
import { toneOf } from "../../domain/health";
import { useWords } from "../../i18n";
import { Figure, FigureRow } from "../../parts/Figure";
import type { LiveState } from "./liveState";
import { recentOf } from "./recent";

/** The last ten seconds. */
export function LiveFigures({ state }: { state: LiveState }) {
  const { t } = useWords();
  const recent = recentOf(state);
  return (
    <FigureRow>
      <Figure label={t("figure.traffic")} of={rate(recent.requests_per_s)}>
        {t("live.window", { seconds: recent.seconds })}
      </Figure>
      <Figure label={t("figure.failed")} of={percent(recent.failed)} tone={toneOf(recent)}>
        {t("live.window", { seconds: recent.seconds })}
      </Figure>
      <Figure label={t("figure.average")} of={duration(recent.average_ms)}>
        {t("live.window", { seconds: recent.seconds })}
      </Figure>
      <Figure label={t("live.worstP95")} of={duration(recent.worst_p95_ms)}>
        {t("live.window", { seconds: recent.seconds })}
      </Figure>
    </FigureRow>
  );
}
