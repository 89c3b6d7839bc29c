import type { ConnectHint } from "../../api/types";
import { ago } from "../../domain/format";
import { useWords } from "../../i18n";
import { en, type Key } from "../../i18n/en";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./ConnectPage.module.css";

/** What to do, by the reason; some reasons have no better advice than their own text. */
function adviceFor(reason: string): Key | null {
  const key = `connect.todo.${reason}`;
  return key in en ? (key as Key) : null;
}

/** Senders that were refused: who, why, how often, and what to do. */
export function Hints({ hints, appNames }: { hints: readonly ConnectHint[]; appNames: ReadonlyMap<string, string> }) {
  const { t, language } = useWords();
  return (
    <ul className={classes.hints} data-testid={TEST_IDS.connectHints}>
      {hints.map((hint) => {
        const advice = adviceFor(hint.reason);
        return (
          <li key={`${hint.protocol} ${hint.reason} ${hint.subject} ${hint.app}`}>
            <HealthMark health="warn" />
            <div>
              <p className={classes.hintText}>{hint.text}</p>
              {advice && <p>{t(advice)}</p>}
              <p className="muted">
                {[
                  hint.protocol,
                  hint.subject,
                  hint.app && (appNames.get(hint.app) ?? hint.app),
                  t("connect.times", { count: hint.count }),
                  ago(hint.last_seen, language),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
