import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { appsQuery } from "../../api/queries";
import { exportOf, type StatisticsAsked, type StatisticsFilter, statisticsQuery } from "../../api/statistics";
import { BYS, type By, COMPARES, type Statistics } from "../../api/statisticsTypes";
import { count, duration, percent, plain, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Change } from "../../parts/Change";
import { Empty } from "../../parts/Empty";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { StatisticsSearch } from "../../routes/statistics";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { fits, isOfCalls, nameOf, orderOf } from "./drill";
import { Spread } from "./Spread";
import classes from "./StatisticsPage.module.css";
import { StatisticsTable } from "./StatisticsTable";
import { TopLists } from "./TopLists";
import { Way } from "./Way";

const route = getRouteApi("/in/statistics");

/** Figures of requests by whatever they have in common, and deeper with each click; all of it is in the address. */
export default function StatisticsPage() {
  const { t } = useWords();
  const { range } = useRange();
  const { by: wanted = "service", compare = "none", sort = "-requests", q, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const by: By = fits(wanted, filter) ? wanted : "endpoint";
  const asked: StatisticsAsked = { ...filter, by, compare, order: orderOf(sort) };
  const found = useQuery(statisticsQuery(asked, range));
  const apps = useQuery(appsQuery);
  const appName = (id: string) => apps.data?.find((app) => app.id === id)?.name ?? id;
  const change = (next: Partial<StatisticsSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const seen = new Set(found.data?.items.map((row) => row.app));
  const only = filter.app ?? (seen.size === 1 ? [...seen][0] : undefined);
  return (
    <Page
      title={t("nav.statistics")}
      tools={
        <>
          <Select
            size="xs"
            w={170}
            clearable
            searchable
            aria-label={t("statistics.app")}
            placeholder={t("statistics.app.any")}
            data={(apps.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            value={filter.app ?? null}
            onChange={(app) => change({ ...NO_FILTER, app: app ?? undefined, by: "service" })}
          />
          <Select
            size="xs"
            w={150}
            allowDeselect={false}
            aria-label={t("statistics.by")}
            data={BYS.map((value) => ({
              value,
              label: t(`statistics.by.${value}`),
              disabled: !fits(value, filter),
            }))}
            value={by}
            onChange={(next) => change({ by: BYS.find((one) => one === next), q: undefined })}
            data-testid={TEST_IDS.statisticsBy}
          />
          <Select
            size="xs"
            w={150}
            allowDeselect={false}
            aria-label={t("statistics.compare")}
            data={COMPARES.map((value) => ({ value, label: t(`statistics.compare.${value}`) }))}
            value={compare}
            onChange={(next) => change({ compare: COMPARES.find((one) => one === next) })}
            data-testid={TEST_IDS.statisticsCompare}
          />
          <SearchField
            label={t("statistics.search")}
            width={190}
            value={q ?? ""}
            onChange={(words) => change({ q: words || undefined })}
          />
          <div className={classes.links}>
            {(["csv", "json"] as const).map((format) => (
              <a
                key={format}
                href={exportOf(asked, range, format)}
                download={`statistics-${by}.${format}`}
                className="link"
                // of the moment of the click, not of the moment it was drawn
                onClick={(event) => event.currentTarget.setAttribute("href", exportOf(asked, range, format))}
              >
                {t("statistics.export", { format: format.toUpperCase() })}
              </a>
            ))}
            <Link to="/statistics/day" search={{ app: only, service: filter.service }} className="link">
              {t("statistics.day")}
            </Link>
            {only && (
              <>
                <Link to="/apps/$app/settings" params={{ app: only }} className="link">
                  {t("statistics.settings")}
                </Link>
                <Link to="/apps/$app/names" params={{ app: only }} className="link">
                  {t("statistics.names")}
                </Link>
              </>
            )}
          </div>
        </>
      }
    >
      <Way filter={filter} appName={appName} />
      <Loaded query={found} skeleton={<TableSkeleton />}>
        {(report) => (
          <Report
            report={report}
            filter={filter}
            words={q ?? ""}
            appName={appName}
            sort={sort}
            onSort={(next) => change({ sort: sortOf(next) })}
          />
        )}
      </Loaded>
    </Page>
  );
}

const NO_FILTER = {
  app: undefined,
  service: undefined,
  endpoint: undefined,
  instance: undefined,
  kind: undefined,
  status: undefined,
  q: undefined,
};

/** The server chooses rows by the most of something: that is how a column is put in order. Success and names go upwards. */
function sortOf(asked: string): string {
  const column = asked.replace(/^-/, "");
  return column === "name" || column === "success" ? column : `-${column}`;
}

interface ReportProps {
  report: Statistics;
  filter: StatisticsFilter;
  words: string;
  appName: (id: string) => string;
  sort: string;
  onSort: (sort: string) => void;
}

function Report({ report, filter, words, appName, sort, onSort }: ReportProps) {
  const { t } = useWords();
  const { by, items, rows, rest, too_old, in_future, whole } = report;
  const outOfTime = [
    too_old > 0 && t("statistics.tooOld", { count: too_old }),
    in_future > 0 && t("statistics.inFuture", { count: in_future }),
  ]
    .filter(Boolean)
    .join(" · ");
  if (items.length === 0) {
    return (
      <Panel>
        <Empty title={t("statistics.none")}>{outOfTime || t("statistics.none.hint")}</Empty>
      </Panel>
    );
  }
  const shown = items.filter((row) => nameOf(row, by).toLowerCase().includes(words.toLowerCase()));
  return (
    <>
      <Whole report={report} />
      <Panel title={t("statistics.rows", { count: rows })} flush aside={outOfTime}>
        {shown.length === 0 ? (
          <Empty title={t("overview.noMatch", { words })} />
        ) : (
          <StatisticsTable
            found={report}
            rows={shown}
            filter={filter}
            appName={appName}
            sort={sort}
            onSort={onSort}
            foot={rest > 0 && t("statistics.rest", { rows: rows - items.length, requests: text(count(rest)) })}
          />
        )}
      </Panel>
      {!isOfCalls(by) && (
        <>
          <Spread filter={filter} whole={whole} />
          <TopLists filter={filter} />
        </>
      )}
    </>
  );
}

/** All rows together. */
function Whole({ report: { whole, whole_compared: then, compared_from } }: { report: Statistics }) {
  const { t } = useWords();
  const compares = compared_from !== null;
  return (
    <FigureRow>
      <Figure label={t("figure.requests")} of={count(whole.requests)}>
        {compares && <Change now={whole.requests} then={then?.requests} better="neither" label="" />}
      </Figure>
      <Figure label={t("figure.success")} of={percent(whole.success_rate)}>
        {compares && <Change now={whole.success_rate} then={then?.success_rate} better="up" kind="points" label="" />}
      </Figure>
      <Figure label={t("figure.average")} of={duration(whole.average_ms)}>
        {compares && <Change now={whole.average_ms} then={then?.average_ms} better="down" label="" />}
      </Figure>
      <Figure label="p95" of={duration(whole.p95_ms)}>
        {compares && <Change now={whole.p95_ms} then={then?.p95_ms} better="down" label="" />}
      </Figure>
      <Figure label={t("figure.apdex")} of={plain(whole.apdex, 2)}>
        {compares && <Change now={whole.apdex} then={then?.apdex} better="up" kind="absolute" label="" />}
      </Figure>
      <Figure label={t("figure.errors")} of={count(whole.errors)} tone={whole.errors > 0 ? "error" : undefined}>
        {compares && <Change now={whole.errors} then={then?.errors} better="down" label="" />}
      </Figure>
      <Figure label={t("statistics.timeouts")} of={count(whole.timeouts)} tone={whole.timeouts ? "error" : undefined}>
        {compares && <Change now={whole.timeouts} then={then?.timeouts} better="down" label="" />}
      </Figure>
      <Figure label={t("statistics.errorAverage")} of={duration(whole.error_average_ms)}>
        {compares && <Change now={whole.error_average_ms} then={then?.error_average_ms} better="down" label="" />}
      </Figure>
    </FigureRow>
  );
}
