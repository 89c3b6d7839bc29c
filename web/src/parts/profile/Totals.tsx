import type { Quantity } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../Amount";
import classes from "./Totals.module.css";

interface Total {
  label: string;
  before: number;
  now: number;
  of: (value: number) => Quantity;
}

/** A few figures of two runs: then → now. */
export function Totals({ rows }: { rows: readonly Total[] }) {
  const { t } = useWords();
  return (
    <dl className={classes.totals}>
      {rows.map(({ label, before, now, of }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <span title={t("compare.before")}>
              <Amount of={of(before)} />
            </span>{" "}
            <span className="muted" aria-hidden="true">
              →
            </span>{" "}
            <strong title={t("compare.now")}>
              <Amount of={of(now)} />
            </strong>
          </dd>
        </div>
      ))}
    </dl>
  );
}
