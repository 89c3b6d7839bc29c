import type { Tiers } from "../../api/statisticsTypes";
import { count, NOTHING, text } from "../../domain/format";
import { useWords } from "../../i18n";
import classes from "./StatisticsPage.module.css";

export const TIERS = ["normal", "slow", "very_slow", "failed", "unknown"] as const;

/** Requests by tier, side by side in one line; together they are all requests. */
export function TierBar({ tiers }: { tiers: Tiers | null }) {
  const { t } = useWords();
  const all = tiers ? TIERS.reduce((sum, tier) => sum + tiers[tier], 0) : 0;
  if (!tiers || all === 0) return <span className="muted">{NOTHING}</span>;
  const said = TIERS.filter((tier) => tiers[tier] > 0)
    .map((tier) => `${t(`statistics.tier.${tier}`)} ${text(count(tiers[tier]))}`)
    .join(", ");
  return (
    <span className={classes.tiers} role="img" aria-label={said} title={said}>
      {TIERS.map(
        (tier) => tiers[tier] > 0 && <span key={tier} data-tier={tier} style={{ flexGrow: tiers[tier] / all }} />,
      )}
    </span>
  );
}
