import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { deploysQuery } from "../../api/errors";
import type { DeployMark } from "../../api/errorsTypes";
import { serviceQuery } from "../../api/queries";
import type { ServiceReport } from "../../api/types";
import { timeMarksOf } from "../../domain/deploys";
import { healthOf } from "../../domain/health";
import type { Range } from "../../domain/range";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { MarkList } from "../../parts/MarkList";
import { ReportSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { EndpointTable } from "./EndpointTable";
import { ErrorTable } from "./ErrorTable";
import { InstanceTable } from "./InstanceTable";
import { NeighbourTable } from "./NeighbourTable";
import { RuntimeCharts } from "./RuntimeCharts";
import { SamplingControl } from "./SamplingControl";
import { ServiceCharts } from "./ServiceCharts";
import { ServiceFigures } from "./ServiceFigures";
import classes from "./ServicePage.module.css";
import { StatusCodes } from "./StatusCodes";

const route = getRouteApi("/in/services/$service");

/** Everything about one service in the chosen time. */
export default function ServicePage() {
  const { t } = useWords();
  const { service } = route.useParams();
  const search = route.useSearch();
  const { range, zoomTo } = useRange();
  const report = useQuery(serviceQuery(service, search.app, range));
  return (
    <Page
      title={service}
      heading={
        <Breadcrumb
          parent={
            <Link to="/services" className="link">
              {t("nav.overview")}
            </Link>
          }
          mark={report.data && <HealthMark health={healthOf(report.data.figures)} />}
          name={service}
        />
      }
    >
      <Loaded
        query={report}
        skeleton={<ReportSkeleton />}
        gone={{ title: t("service.gone"), hint: t("service.gone.hint") }}
      >
        {(data) => <Report report={data} range={range} zoomTo={zoomTo} sort={search.sort ?? "-requests"} />}
      </Loaded>
    </Page>
  );
}

const NO_MARKS: DeployMark[] = [];

interface ReportProps {
  report: ServiceReport;
  range: Range;
  zoomTo: (from: number, to: number) => void;
  sort: string;
}

function Report({ report, range, zoomTo, sort }: ReportProps) {
  const { t } = useWords();
  const navigate = route.useNavigate();
  const { data: deploys = NO_MARKS } = useQuery(deploysQuery(report.service, range));
  const marks = useMemo(() => timeMarksOf(t, deploys), [t, deploys]);
  const seconds = (new Date(report.to).getTime() - new Date(report.from).getTime()) / 1000;
  return (
    <>
      <ServiceFigures report={report} />
      <div className={classes.links}>
        <div className={classes.about}>
          <span className="muted">
            {[report.language, t("service.instances", { count: report.instances.length })].filter(Boolean).join(" · ")}
          </span>
          <SamplingControl app={report.app} service={report.service} />
        </div>
        <Button
          size="compact-xs"
          variant="default"
          renderRoot={(props) => <Link to="/traces" search={{ service: report.service }} {...props} />}
        >
          {t("service.traces")}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          renderRoot={(props) => (
            <Link to="/traces" search={{ service: report.service, order: "slowest" }} {...props} />
          )}
        >
          {t("service.slowest")}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          renderRoot={(props) => <Link to="/traces" search={{ service: report.service, error: true }} {...props} />}
        >
          {t("service.failed")}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          renderRoot={(props) => <Link to="/errors" search={{ service: report.service }} {...props} />}
        >
          {t("nav.errors")}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          renderRoot={(props) => <Link to="/slow" search={{ service: report.service }} {...props} />}
        >
          {t("nav.slow")}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          renderRoot={(props) => (
            <Link to="/tools" search={{ app: report.app, service: report.service }} preload={false} {...props} />
          )}
        >
          {t("nav.tools")}
        </Button>
      </div>
      <ServiceCharts report={report} marks={marks} onSelect={zoomTo} />
      <MarkList marks={deploys} />
      <RuntimeCharts service={report.service} range={range} onSelect={zoomTo} />
      <EndpointTable
        report={report}
        sort={sort}
        onSort={(next) =>
          navigate({ search: (before) => ({ ...before, sort: next }), replace: true, resetScroll: false })
        }
      />
      <div className={classes.pair}>
        <NeighbourTable
          title={t("service.callers")}
          empty={t("service.callers.none")}
          rows={report.callers}
          seconds={seconds}
        />
        <NeighbourTable
          title={t("service.callees")}
          empty={t("service.callees.none")}
          rows={report.callees}
          seconds={seconds}
        />
      </div>
      <ErrorTable errors={report.errors} />
      <div className={classes.pair}>
        <InstanceTable instances={report.instances} />
        <StatusCodes codes={report.status_codes} />
      </div>
    </>
  );
}
