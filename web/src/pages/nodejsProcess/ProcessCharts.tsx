import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsTrendQuery } from "../../api/nodejs";
import type { NodejsProcessName, NodejsTrend } from "../../api/nodejsTypes";
import { reportedOf } from "../../domain/reported";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { TimeSeries } from "../../parts/TimeSeries";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { EVERY_METRIC, metricsOf, PROCESS_CHARTS } from "./charts";
import classes from "./NodejsProcessPage.module.css";

interface Props {
  name: NodejsProcessName;
  /** 0 is the main thread. */
  thread: number;
  onThread: (thread: number) => void;
}

/** What the process reported over the time of the page, of one of its threads. */
export function ProcessCharts({ name, thread, onThread }: Props) {
  const { t } = useWords();
  const { range, zoomTo } = useRange();
  const trend = useQuery(nodejsTrendQuery(name, EVERY_METRIC, range));
  return (
    <Loaded query={trend} skeleton={<ReportSkeleton />}>
      {(data) => {
        const threads = [...new Set([0, thread, ...data.series.map((one) => one.thread)])].sort((a, b) => a - b);
        return (
          <>
            {threads.length > 1 && (
              <div className={classes.chartsHead}>
                <NativeSelect
                  size="xs"
                  aria-label={t("nodejs.thread")}
                  value={String(thread)}
                  onChange={(event) => onThread(Number(event.currentTarget.value))}
                  data={threads.map((id) => ({
                    value: String(id),
                    label: id === 0 ? t("nodejs.mainThread") : t("nodejs.worker", { id }),
                  }))}
                />
              </div>
            )}
            <Charts trend={data} thread={thread} onSelect={zoomTo} />
          </>
        );
      }}
    </Loaded>
  );
}

interface ChartsProps {
  trend: NodejsTrend;
  thread: number;
  onSelect: (from: number, to: number) => void;
}

function Charts({ trend, thread, onSelect }: ChartsProps) {
  const { t } = useWords();
  const charts = useMemo(() => {
    const known = [...new Set(trend.series.map(({ metric }) => metric))];
    const end = new Date(trend.to).getTime() / 1000;
    return PROCESS_CHARTS.filter(({ ofProcess }) => !ofProcess || thread === 0).map((chart) => {
      const metrics = metricsOf(chart, known);
      const reported = reportedOf(trend.series, metrics, thread, trend.step_s);
      return { ...chart, times: reported.times, series: chart.lines({ ...reported, end }, t, metrics) };
    });
  }, [trend, thread, t]);
  if (trend.series.length === 0) {
    return (
      <Panel>
        <Empty title={t("nodejs.noReports")}>{t("nodejs.noReports.hint")}</Empty>
      </Panel>
    );
  }
  return (
    <div className={classes.charts} data-testid={TEST_IDS.nodejsCharts}>
      {charts.map(({ title, times, series, format, steps }) => (
        <TimeSeries
          key={title}
          title={t(title)}
          times={times}
          series={series}
          format={format}
          steps={steps}
          from={new Date(trend.from).getTime()}
          to={new Date(trend.to).getTime()}
          sync="nodejs"
          onSelect={onSelect}
        />
      ))}
    </div>
  );
}
