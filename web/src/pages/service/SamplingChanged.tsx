import type { Sampling } from "../../api/types";
import { ago, moment } from "../../domain/format";
import { whoOf } from "../../domain/sampling";
import { useWords } from "../../i18n";
import classes from "./Sampling.module.css";

/** Who changed it, and when. */
export function SamplingChanged({ sampling }: { sampling: Sampling }) {
  const { t, language } = useWords();
  const { changed_at } = sampling;
  return (
    <p className={classes.changed} title={changed_at ? moment(changed_at) : undefined}>
      {changed_at
        ? t("sampling.changed", { ago: ago(changed_at, language), who: whoOf(sampling, t) })
        : t("sampling.untouched")}
    </p>
  );
}
