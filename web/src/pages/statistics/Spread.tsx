import { useQuery } from "@tanstack/react-query";

import { histogramQuery, type StatisticsFilter } from "../../api/statistics";
import type { HistogramBucket, Measured } from "../../api/statisticsTypes";
import { count, duration, percent, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import classes from "./StatisticsPage.module.css";
import { TIERS } from "./TierBar";

/** How long requests took: exact counts in buckets, and in the tiers of the app, each request in one of them. */
export function Spread({ filter, whole }: { filter: StatisticsFilter; whole: Measured }) {
  const { t } = useWords();
  const { range } = useRange();
  const histogram = useQuery(histogramQuery(filter, range));
  const { tiers } = whole;
  return (
    <div className={classes.pair}>
      <Panel title={t("statistics.histogram")} testId={TEST_IDS.statisticsHistogram}>
        <Loaded query={histogram} skeleton={<TableSkeleton rows={6} />}>
          {({ buckets }) => <Buckets buckets={buckets} />}
        </Loaded>
      </Panel>
      {tiers && (
        <Panel title={t("statistics.tiers")} testId={TEST_IDS.statisticsTiers}>
          <dl className={classes.bars}>
            {TIERS.filter((tier) => tier !== "unknown" || tiers.unknown > 0).map((tier) => (
              <Bar
                key={tier}
                label={t(`statistics.tier.${tier}`)}
                tier={tier}
                part={tiers[tier] / Math.max(1, whole.requests)}
                failed={tier === "failed" ? 1 : 0}
                said={`${text(count(tiers[tier]))} · ${text(percent(tiers[tier] / Math.max(1, whole.requests)))}`}
              />
            ))}
          </dl>
        </Panel>
      )}
    </div>
  );
}

function Buckets({ buckets }: { buckets: readonly HistogramBucket[] }) {
  const { t } = useWords();
  const most = Math.max(1, ...buckets.map(({ requests }) => requests));
  return (
    <dl className={classes.bars}>
      {buckets.map(({ above_ms, up_to_ms, requests, errors }) => (
        <Bar
          key={above_ms}
          label={
            up_to_ms === null
              ? t("statistics.above", { from: text(duration(above_ms)) })
              : t("statistics.upTo", { to: text(duration(up_to_ms)) })
          }
          part={requests / most}
          failed={requests ? errors / requests : 0}
          said={text(count(requests))}
        />
      ))}
    </dl>
  );
}

interface BarProps {
  label: string;
  tier?: string;
  /** Of the longest bar, 0…1. */
  part: number;
  /** Of this bar, 0…1. */
  failed: number;
  said: string;
}

function Bar({ label, tier, part, failed, said }: BarProps) {
  return (
    <>
      <dt>
        {tier && <span className={classes.swatch} data-tier={tier} />}
        {label}
      </dt>
      <dd className={classes.bar}>
        <span data-tier={tier} style={{ width: `${part * (1 - failed) * 100}%` }} />
        <span data-failed style={{ width: `${part * failed * 100}%` }} />
      </dd>
      <dd>{said}</dd>
    </>
  );
}
