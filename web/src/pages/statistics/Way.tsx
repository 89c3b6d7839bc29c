import { Link } from "@tanstack/react-router";

import type { StatisticsFilter } from "../../api/statistics";
import type { By } from "../../api/statisticsTypes";
import { useWords } from "../../i18n";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";
import { LEVELS } from "./drill";
import classes from "./StatisticsPage.module.css";

interface Props {
  filter: StatisticsFilter;
  appName: (id: string) => string;
}

/** What the report shows at each step of the way, where the step is taken back to. */
const NEXT: Record<(typeof LEVELS)[number], By> = {
  app: "service",
  service: "endpoint",
  endpoint: "instance",
  instance: "endpoint",
  kind: "service",
  status: "endpoint",
};

/** The steps that were taken into the report; each leads back to it. */
export function Way({ filter, appName }: Props) {
  const { t } = useWords();
  const steps = LEVELS.filter((level) => filter[level]);
  return (
    <nav className={classes.way} aria-label={t("statistics.way")} data-testid={TEST_IDS.statisticsWay}>
      <Link
        to="/statistics"
        search={(before) => ({ ...before, ...upTo(0, steps, filter), by: "service" })}
        className="link"
      >
        {t("statistics.app.any")}
      </Link>
      {steps.map((level, index) => {
        const said = filter[level] ?? "";
        const name = level === "app" ? appName(said) : said;
        return (
          <span key={level} className={classes.step}>
            <span className="muted" aria-hidden="true">
              /
            </span>
            {index === steps.length - 1 ? (
              <Name>{name}</Name>
            ) : (
              <Link
                to="/statistics"
                search={(before) => ({ ...before, ...upTo(index + 1, steps, filter), by: NEXT[level] })}
                className="link"
              >
                <Name>{name}</Name>
              </Link>
            )}
          </span>
        );
      })}
    </nav>
  );
}

/** The filters of the first steps; the others are named too, for a part left out would be kept. */
function upTo(count: number, steps: readonly (typeof LEVELS)[number][], filter: StatisticsFilter) {
  const kept = steps.slice(0, count);
  return {
    ...Object.fromEntries(LEVELS.map((level) => [level, kept.includes(level) ? filter[level] : undefined])),
    q: undefined,
  } as StatisticsFilter;
}
