import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { errorGroupQuery } from "../../api/errors";
import type { ErrorReport } from "../../api/errorsTypes";
import { timeMarksOf } from "../../domain/deploys";
import { ago, count, moment } from "../../domain/format";
import { timesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Figure, FigureRow } from "../../parts/Figure";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { MarkList } from "../../parts/MarkList";
import { ReportSkeleton } from "../../parts/Skeletons";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { NewMark } from "../errors/NewMark";
import classes from "./ErrorGroupPage.module.css";
import { MessageTable } from "./MessageTable";
import { PlaceTable } from "./PlaceTable";
import { Samples } from "./Samples";

const route = getRouteApi("/in/errors/$group");

/** One error: over time with the deploys meanwhile, where it happens, and failures with their stacks. */
export default function ErrorGroupPage() {
  const { t } = useWords();
  const { group } = route.useParams();
  const { service } = route.useSearch();
  const { range, zoomTo } = useRange();
  const report = useQuery(errorGroupQuery(group, service, range));
  const name = report.data ? report.data.group.type || t("errors.untyped") : group;
  return (
    <Page
      title={name}
      heading={
        <Breadcrumb
          parent={
            <Link to="/errors" search={{ service }} className="link">
              {t("nav.errors")}
            </Link>
          }
          mark={report.data && <HealthMark health="error" />}
          name={name}
        />
      }
    >
      <Loaded
        query={report}
        skeleton={<ReportSkeleton />}
        gone={{ title: t("errors.gone"), hint: t("errors.gone.hint") }}
      >
        {(data) => <Report report={data} service={service} onSelect={zoomTo} />}
      </Loaded>
    </Page>
  );
}

interface ReportProps {
  report: ErrorReport;
  service: string | undefined;
  onSelect: (from: number, to: number) => void;
}

function Report({ report, service, onSelect }: ReportProps) {
  const { t, language } = useWords();
  const { group, series, deploys } = report;
  const times = useMemo(() => timesOf(series), [series]);
  const shown = useMemo<Series[]>(
    () => [{ label: t("errors.times"), colour: "error", style: "bars", values: series.map((point) => point.times) }],
    [series, t],
  );
  const marks = useMemo(() => timeMarksOf(t, deploys, true), [t, deploys]);
  return (
    <>
      <div className={classes.about}>
        <div className={classes.said}>
          <span className="mono">{group.place}</span>
          {group.new_since && <NewMark since={group.new_since} />}
          {!group.has_stack && <span className="muted">{t("errors.noStack")}</span>}
          {service && (
            <span className="muted">
              {t("errors.inService", { service })}{" "}
              <Link to="/errors/$group" params={{ group: group.id }} search={{ service: undefined }} className="link">
                {t("errors.everywhere")}
              </Link>
            </span>
          )}
        </div>
        {group.message && <p className={classes.message}>{group.message}</p>}
        <div className={classes.links}>
          {group.services.slice(0, 5).map((failing) => (
            <Button
              key={`${failing.app} ${failing.service}`}
              size="compact-xs"
              variant="default"
              renderRoot={(props) => (
                <Link
                  to="/services/$service"
                  params={{ service: failing.service }}
                  search={{ app: failing.app }}
                  preload={false}
                  {...props}
                />
              )}
            >
              {failing.service}
            </Button>
          ))}
          <Button
            size="compact-xs"
            variant="default"
            renderRoot={(props) => (
              <Link
                to="/traces"
                search={{ service: service ?? group.services[0]?.service, error: true }}
                preload={false}
                {...props}
              />
            )}
          >
            {t("errors.traces")}
          </Button>
        </div>
      </div>
      <FigureRow>
        <Figure label={t("errors.times")} of={count(group.times)} tone="error" />
        <Figure label={t("errors.where")} of={count(group.services.length)} />
        <Figure label={t("errors.endpoints")} of={count(group.endpoints)} />
        <Figure label={t("errors.instances")} of={count(group.instances)} />
        <Figure label={t("errors.first")} of={{ value: ago(group.first_seen, language), unit: "" }}>
          {moment(group.first_seen, "minute")}
        </Figure>
        <Figure label={t("errors.last")} of={{ value: ago(group.last_seen, language), unit: "" }}>
          {moment(group.last_seen, "minute")}
        </Figure>
      </FigureRow>
      <TimeSeries
        title={t("errors.trend")}
        times={times}
        series={shown}
        format={count}
        steps="whole"
        from={new Date(report.from).getTime()}
        to={new Date(report.to).getTime()}
        sync="error"
        onSelect={onSelect}
        marks={marks}
      />
      <MarkList marks={deploys} withService />
      <Samples samples={report.samples} />
      <div className={classes.pair}>
        <PlaceTable kind="endpoint" title={t("errors.endpoints")} places={report.endpoints} />
        <PlaceTable kind="instance" title={t("errors.instances")} places={report.instances} />
      </div>
      <MessageTable messages={report.messages} />
    </>
  );
}
