import type { StatusCount } from "../../api/types";
import { count, percent } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { Empty } from "../../parts/Empty";
import { Panel } from "../../parts/Panel";
import classes from "./ServicePage.module.css";

export function StatusCodes({ codes }: { codes: readonly StatusCount[] }) {
  const { t } = useWords();
  const all = codes.reduce((sum, { requests }) => sum + requests, 0);
  return (
    <Panel title={t("service.statusCodes")}>
      {all === 0 ? (
        <Empty title={t("service.noRequests")} />
      ) : (
        <div className={classes.codes}>
          {codes.map(({ code, requests }) => (
            <div key={code} className={classes.code}>
              <span>{code || t("service.noCode")}</span>
              <div className={classes.track}>
                <div
                  className={classes.fill}
                  style={{ width: `${(requests / all) * 100}%`, background: toneOf(code) }}
                />
              </div>
              <span className={classes.right}>
                <Amount of={count(requests)} />
              </span>
              <span className={classes.right}>
                <Amount of={percent(requests / all)} unitWidth={2} />
              </span>
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}

function toneOf(code: number): string {
  if (code >= 500) return "var(--s-error)";
  if (code >= 400) return "var(--s-warn)";
  return code >= 100 ? "var(--s-ok)" : "var(--s-idle)";
}
