import type { Figures, ServiceReport } from "../../api/types";
import { count, duration, percent, plain, rate } from "../../domain/format";
import { useWords } from "../../i18n";
import { Change, type ChangeKind } from "../../parts/Change";
import { Figure, FigureRow } from "../../parts/Figure";
import { TEST_IDS } from "../../testIds";

/** The service in figures, each beside yesterday's and last week's of the same hours. */
export function ServiceFigures({ report: { figures, yesterday, last_week } }: { report: ServiceReport }) {
  const { t } = useWords();
  const compare = (of: (figures: Figures) => number | null, better: "up" | "down" | "neither", kind?: ChangeKind) => (
    <>
      <Change
        now={of(figures)}
        then={yesterday && of(yesterday)}
        better={better}
        kind={kind}
        label={t("compare.yesterday")}
      />
      <Change
        now={of(figures)}
        then={last_week && of(last_week)}
        better={better}
        kind={kind}
        label={t("compare.lastWeek")}
      />
    </>
  );
  return (
    <div data-testid={TEST_IDS.serviceFigures}>
      <FigureRow>
        <Figure label={t("figure.traffic")} of={rate(figures.requests_per_s)}>
          {compare(({ requests_per_s }) => requests_per_s, "neither")}
        </Figure>
        <Figure label={t("figure.success")} of={percent(figures.success_rate)}>
          {compare(({ success_rate }) => success_rate, "up", "points")}
        </Figure>
        <Figure label={t("figure.errors")} of={count(figures.errors)}>
          {compare(({ errors }) => errors, "down")}
        </Figure>
        <Figure label={t("figure.average")} of={duration(figures.average_ms)}>
          {compare(({ average_ms }) => average_ms, "down")}
        </Figure>
        <Figure label="p50" of={duration(figures.p50_ms)}>
          {compare(({ p50_ms }) => p50_ms, "down")}
        </Figure>
        <Figure label="p95" of={duration(figures.p95_ms)}>
          {compare(({ p95_ms }) => p95_ms, "down")}
        </Figure>
        <Figure label="p99" of={duration(figures.p99_ms)}>
          {compare(({ p99_ms }) => p99_ms, "down")}
        </Figure>
        <Figure label={t("figure.apdex")} of={plain(figures.apdex, 2)}>
          {compare(({ apdex }) => apdex, "up", "absolute")}
        </Figure>
      </FigureRow>
    </div>
  );
}
