import type { ConnectHint } from "../../api/types";
import { ago } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { en, type Key } from "../../i18n/en";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./ConnectPage.module.css";

/** What to do, by the reason; some reasons have no better advice than their own text. */
function adviceFor(reason: string): Key | null {
  const key = `connect.todo.${reason}`;
  return key in en ? (key as Key) : null;
}

/** What happened. What has no translation is said as the server says it. */
export function sentenceOf(hint: ConnectHint, t: Translate): string {
  const key = `connect.hint.${hint.code}`;
  if (!(key in en)) return hint.text;
  const { said = "", ...values } = hint.values;
  const known = `connect.said.${hint.reason}`;
  return t(key as Key, {
    ...values,
    who: values.who || t("connect.somebody"),
    said: known in en ? t(known as Key, { said }) : said,
  });
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
              <p className={classes.hintText}>{sentenceOf(hint, t)}</p>
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
