import { useQuery } from "@tanstack/react-query";

import { findingsQuery } from "../../api/slow";
import { duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./TraceFindings.module.css";

const SHOWN = 3;
/** Waiting less than this part of the total: the calls ran beside each other. */
const OVERLAPPING = 0.95;

interface Props {
  traceId: string;
  /** Chooses a span. */
  onSelect: (spanId: string) => void;
}

/** Calls that one span makes again and again; nothing where there are none. */
export function TraceFindings({ traceId, onSelect }: Props) {
  const { t } = useWords();
  const { data } = useQuery(findingsQuery(traceId));
  if (!data || data.items.length === 0) return null;
  const more = data.more + Math.max(0, data.items.length - SHOWN);
  return (
    <section className={classes.findings} data-testid={TEST_IDS.findings} aria-label={t("findings.title")}>
      <HealthMark health="warn" size={10} />
      <strong>{t("findings.title")}</strong>
      <ul className={classes.list}>
        {data.items.slice(0, SHOWN).map((finding) => (
          <li key={`${finding.parent_id} ${finding.span_ids[0]}`}>
            <button
              type="button"
              className={classes.call}
              title={`${finding.text}\n${t("findings.show")}`}
              onClick={() => onSelect(finding.span_ids[0] as string)}
            >
              {t("findings.calls", { count: finding.calls, text: finding.text || finding.peer })}
            </button>
            <span className="muted">
              {[
                finding.parent && t("findings.in", { parent: finding.parent }),
                t("findings.took", {
                  total: text(duration(finding.total_ms)),
                  average: text(duration(finding.average_ms)),
                }),
                finding.elapsed_ms < finding.total_ms * OVERLAPPING &&
                  t("findings.parallel", { elapsed: text(duration(finding.elapsed_ms)) }),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
        {more > 0 && <li className="muted">{t("findings.more", { count: more })}</li>}
      </ul>
    </section>
  );
}
