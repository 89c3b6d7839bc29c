import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { slowGroupQuery } from "../../api/slow";
import type { SlowReport } from "../../api/slowTypes";
import { count, duration, moment, percent, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { CopyButton } from "../../parts/CopyButton";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { shortened } from "../../parts/shortened";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { CallCharts } from "./CallCharts";
import { CallerTable } from "./CallerTable";
import { PeerTable } from "./PeerTable";
import { SlowestTable } from "./SlowestTable";
import classes from "./SlowGroupPage.module.css";

const route = getRouteApi("/in/slow/$group");

/** Calls of one sort: over time, who makes them, whom they go to, and the slowest of them. */
export default function SlowGroupPage() {
  const { t } = useWords();
  const { group } = route.useParams();
  const { service } = route.useSearch();
  const { range, zoomTo } = useRange();
  const report = useQuery(slowGroupQuery(group, service, range));
  const kind = listOf(group);
  const name = report.data ? shortened(report.data.group.text, 80) : group;
  return (
    <Page
      title={name}
      heading={
        <Breadcrumb
          parent={
            <Link to="/slow" search={{ kind, service }} className="link">
              {t("nav.slow")}
            </Link>
          }
          name={name}
        />
      }
    >
      <Loaded query={report} skeleton={<ReportSkeleton />} gone={{ title: t("slow.gone"), hint: t("slow.gone.hint") }}>
        {(data) => <Report report={data} service={service} onSelect={zoomTo} />}
      </Loaded>
    </Page>
  );
}

function listOf(group: string): "sql" | "cache" | "outgoing" | "mq" {
  const [kind] = group.split("-");
  return kind === "cache" || kind === "mq" ? kind : kind === "http" || kind === "rpc" ? "outgoing" : "sql";
}

interface ReportProps {
  report: SlowReport;
  service: string | undefined;
  onSelect: (from: number, to: number) => void;
}

function Report({ report, service, onSelect }: ReportProps) {
  const { t } = useWords();
  const { group } = report;
  return (
    <>
      <Panel
        title={group.kind === "sql" ? t("slow.statement") : t("slow.call")}
        aside={<CopyButton text={group.text} what={t("slow.statement")} />}
      >
        <pre className={classes.text}>{group.text}</pre>
        {group.text_is_cut && <p className={classes.note}>{t("slow.cut")}</p>}
        <p className={classes.note}>
          {[
            group.system,
            t("slow.first", { time: moment(group.first_seen) }),
            t("slow.last", { time: moment(group.last_seen) }),
          ]
            .filter(Boolean)
            .join(" · ")}
          {service && (
            <>
              {" · "}
              {t("slow.inService", { service })}{" "}
              <Link to="/slow/$group" params={{ group: group.id }} search={{ service: undefined }} className="link">
                {t("slow.everywhere")}
              </Link>
            </>
          )}
        </p>
      </Panel>
      <FigureRow>
        <Figure label={t("slow.calls")} of={count(group.calls)} />
        <Figure label={t("figure.errors")} of={count(group.errors)} tone={group.errors > 0 ? "error" : undefined} />
        <Figure label={t("slow.total")} of={duration(group.total_ms)} />
        <Figure label={t("slow.share")} of={percent(group.share)} />
        <Figure label={t("figure.average")} of={duration(group.average_ms)} />
        <Figure label="p95" of={duration(group.p95_ms)} />
        <Figure label={t("figure.max")} of={duration(group.max_ms)} />
      </FigureRow>
      <CallCharts report={report} onSelect={onSelect} />
      <div className={classes.pair}>
        <CallerTable
          callers={report.callers}
          note={report.looked_at < group.calls ? t("slow.callers.of", { count: text(count(report.looked_at)) }) : ""}
        />
        <PeerTable peers={report.peers} />
      </div>
      <SlowestTable calls={report.slowest} />
    </>
  );
}
