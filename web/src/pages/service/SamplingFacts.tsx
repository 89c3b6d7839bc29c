import type { Sampling } from "../../api/types";
import { callerInWords, thresholdInWords } from "../../domain/sampling";
import { useWords } from "../../i18n";
import classes from "./Sampling.module.css";
import { SamplingChanged } from "./SamplingChanged";

/** For those who may look and not change. */
export function SamplingFacts({ sampling }: { sampling: Sampling }) {
  const { t } = useWords();
  const { sampling_rate, slow_ms, sampling_follows_parent } = sampling;
  const configured = t("sampling.configured");
  return (
    <div className={classes.form}>
      <dl className={classes.facts}>
        <dt>{t("sampling.rate")}</dt>
        <dd>{sampling_rate === null ? configured : `${sampling_rate} %`}</dd>
        <dt>{t("sampling.slow")}</dt>
        <dd>{slow_ms === null ? configured : thresholdInWords(slow_ms, t)}</dd>
        <dt>{t("sampling.caller")}</dt>
        <dd>{sampling_follows_parent === null ? configured : callerInWords(sampling_follows_parent, t)}</dd>
      </dl>
      <p className={classes.hint}>{t("sampling.exact")}</p>
      <p className={classes.hint}>{t("sampling.readOnly")}</p>
      <SamplingChanged sampling={sampling} />
    </div>
  );
}
