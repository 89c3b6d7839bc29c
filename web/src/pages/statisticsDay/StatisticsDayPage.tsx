import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { appsQuery } from "../../api/queries";
import { busiestAppQuery, busiestQuery, dayQuery } from "../../api/statistics";
import type { DayBlock, StatisticsDay } from "../../api/statisticsTypes";
import { count, duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { Loaded } from "../../parts/Loaded";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import type { DaySearch } from "../../routes/statistics";
import { Page } from "../../shell/Page";
import { TEST_IDS } from "../../testIds";
import { DayCharts } from "./DayCharts";
import classes from "./StatisticsDayPage.module.css";
import { Strip } from "./Strip";
import { DAY_METRICS, type DayMetric, daysFrom, isDate } from "./strip";

const route = getRouteApi("/in/statistics/day");

/** So many services have a strip of their own. */
const STRIPS = 8;

/** A date of an app in blocks of three minutes: a strip for each service, and charts, with another date beside it. */
export default function StatisticsDayPage() {
  const { t } = useWords();
  const { app: wanted, service, date, against, metric = "requests" } = route.useSearch();
  const navigate = route.useNavigate();
  const apps = useQuery(appsQuery);
  const busiest = useQuery({ ...busiestAppQuery, enabled: wanted === undefined });
  const app = wanted ?? busiest.data ?? apps.data?.[0]?.id;
  const change = (next: Partial<DaySearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Page
      title={t("day.title")}
      heading={<Breadcrumb parent={<Link to="/statistics">{t("nav.statistics")}</Link>} name={t("day.title")} />}
      tools={
        <>
          <Select
            size="xs"
            w={170}
            allowDeselect={false}
            searchable
            aria-label={t("statistics.app")}
            data={(apps.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            value={app ?? null}
            onChange={(next) => change({ app: next ?? undefined, service: undefined })}
          />
          <SegmentedControl
            size="xs"
            aria-label={t("day.metric")}
            value={metric}
            onChange={(next) => change({ metric: DAY_METRICS.find((one) => one === next) })}
            data={[
              { value: "requests", label: t("figure.requests") },
              { value: "errors", label: t("figure.errors") },
              { value: "p95", label: "p95" },
            ]}
          />
        </>
      }
    >
      <Loaded<unknown>
        query={wanted === undefined && busiest.data === undefined ? busiest : apps}
        skeleton={<TableSkeleton />}
      >
        {() =>
          app ? (
            <Day app={app} service={service} date={date} against={against} metric={metric} onChange={change} />
          ) : (
            <Panel>
              <Empty title={t("day.noApp")}>{t("day.noApp.hint")}</Empty>
            </Panel>
          )
        }
      </Loaded>
    </Page>
  );
}

interface DayProps {
  app: string;
  service: string | undefined;
  date: string | undefined;
  against: string | undefined;
  metric: DayMetric;
  onChange: (next: Partial<DaySearch>) => void;
}

function Day({ app, service, date, against, metric, onChange }: DayProps) {
  const navigate = route.useNavigate();
  const day = useQuery(dayQuery(app, service, date));
  const other = useQuery({ ...dayQuery(app, service, against), enabled: against !== undefined });
  return (
    <Loaded query={day} skeleton={<TableSkeleton />}>
      {(found) => (
        <>
          <Dates found={found} date={date} against={against} onChange={onChange} />
          <Strips day={found} service={service} metric={metric} onChange={onChange} />
          {against && other.error && <Failure error={other.error} onRetry={() => other.refetch()} />}
          <DayCharts
            day={found}
            against={against ? other.data : undefined}
            onSelect={(from, to) =>
              navigate({
                to: "/statistics",
                search: {
                  from: Math.round(from),
                  to: Math.round(to),
                  app,
                  service,
                  by: service ? "endpoint" : "service",
                },
              })
            }
          />
        </>
      )}
    </Loaded>
  );
}

interface DatesProps {
  found: StatisticsDay;
  date: string | undefined;
  against: string | undefined;
  onChange: (next: Partial<DaySearch>) => void;
}

/** Which day, and which one beside it. */
function Dates({ found, date, against, onChange }: DatesProps) {
  const { t } = useWords();
  const said = { count: found.blocks.length, seconds: found.block_s, zone: found.time_zone };
  const field = { type: "date", size: "xs", w: 150 } as const;
  return (
    <div style={{ display: "flex", flexWrap: "wrap", gap: 8, alignItems: "end" }}>
      <TextInput
        {...field}
        label={t("day.date")}
        value={found.date}
        onChange={({ currentTarget: { value } }) => isDate(value) && onChange({ date: value })}
      />
      <Button size="xs" variant="default" onClick={() => onChange({ date: undefined })} disabled={!date}>
        {t("day.today")}
      </Button>
      <TextInput
        {...field}
        label={t("day.against")}
        value={against ?? ""}
        onChange={({ currentTarget: { value } }) => onChange({ against: isDate(value) ? value : undefined })}
        data-testid={TEST_IDS.dayAgainst}
      />
      <Button size="xs" variant="default" onClick={() => onChange({ against: daysFrom(found.date, -1) })}>
        {t("day.before")}
      </Button>
      <Button size="xs" variant="default" onClick={() => onChange({ against: daysFrom(found.date, -7) })}>
        {t("day.weekBefore")}
      </Button>
      {against && (
        <Button size="xs" variant="subtle" color="gray" onClick={() => onChange({ against: undefined })}>
          {t("day.alone")}
        </Button>
      )}
      <span className="muted" style={{ marginLeft: "auto", fontSize: "0.8125rem" }}>
        {t("day.blocks", said)}
      </span>
    </div>
  );
}

interface StripsProps {
  day: StatisticsDay;
  service: string | undefined;
  metric: DayMetric;
  onChange: (next: Partial<DaySearch>) => void;
}

/** All of the app, and the busiest services; or the one that is chosen. */
function Strips({ day, service, metric, onChange }: StripsProps) {
  const { t } = useWords();
  const [read, setRead] = useState<DayBlock>();
  const busiest = useQuery({
    ...busiestQuery(day.app, new Date(day.from).getTime(), new Date(day.to).getTime(), STRIPS),
    enabled: service === undefined,
  });
  const names = service
    ? []
    : [...new Set(busiest.data?.items.map((row) => row.service))].filter((name): name is string => Boolean(name));
  const days = useQueries({ queries: names.map((name) => dayQuery(day.app, name, day.date)) });
  const failed = [busiest, ...days].find(({ error, data }) => error && !data);
  return (
    <Panel flush testId={TEST_IDS.dayStrips}>
      <div className={classes.strips}>
        <Name>{service ?? t("day.all")}</Name>
        <Strip day={day} service={service} metric={metric} onRead={setRead} />
        <span className={classes.requests}>
          <Amount of={count(day.whole.requests)} />
        </span>
        {names.map((name, index) => {
          const own = days[index]?.data;
          return own ? (
            <Row key={name} name={name} onChoose={() => onChange({ service: name })}>
              <Strip day={own} service={name} metric={metric} onRead={setRead} />
              <span className={classes.requests}>
                <Amount of={count(own.whole.requests)} />
              </span>
            </Row>
          ) : null;
        })}
        <div className={classes.hours} aria-hidden="true">
          {hoursOf(day).map(({ index, local }) => (
            <span key={index}>{local}</span>
          ))}
        </div>
      </div>
      {failed?.error && <Failure error={failed.error} onRetry={() => failed.refetch()} />}
      <p className={classes.reading} role="status">
        {read
          ? t("day.block", {
              time: read.local,
              requests: text(count(read.requests)),
              errors: text(count(read.errors)),
              p95: text(duration(read.p95_ms)),
            })
          : t("day.hint")}
        {service && (
          <>
            {" "}
            <button type="button" className={classes.button} onClick={() => onChange({ service: undefined })}>
              {t("day.all")}
            </button>
          </>
        )}
      </p>
    </Panel>
  );
}

function Row({ name, onChoose, children }: { name: string; onChoose: () => void; children: ReactNode }) {
  return (
    <>
      <button type="button" className={classes.button} onClick={onChoose}>
        <Name>{name}</Name>
      </button>
      {children}
    </>
  );
}

/** Where a day has its quarters, and its end. */
function hoursOf({ blocks }: StatisticsDay): { index: number; local: string }[] {
  const quarters = [0, 1, 2, 3].map((quarter) => blocks[Math.floor((quarter * blocks.length) / 4)]);
  return [
    ...quarters.flatMap((block) => (block ? [{ index: block.index, local: block.local }] : [])),
    { index: blocks.length, local: "24:00" },
  ];
}
