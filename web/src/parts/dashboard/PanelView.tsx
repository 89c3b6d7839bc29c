import type { ReactNode } from "react";

import type { Panel, PanelData } from "../../api/dashboardsTypes";
import { text } from "../../domain/format";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Loaded, type Readable } from "../Loaded";
import { Panel as Frame } from "../Panel";
import { ChartSkeleton } from "../Skeletons";
import { TimeSeries } from "../TimeSeries";
import { legendsOf } from "./figures";
import classes from "./Grid.module.css";
import { formatOf, unitOfColumn } from "./units";

/** Of a row of the grid and the gap below it, in pixels; and what head and frame of a panel take. */
const ROW_PX = 54;
const HEAD_PX = 62;

interface Props {
  panel: Panel;
  query: Readable<PanelData>;
  /** Epoch milliseconds. */
  between: { from: number; to: number };
  onSelect?: (from: number, to: number) => void;
  /** Beside the title. */
  aside?: ReactNode;
}

/** One panel of a dashboard. */
export function PanelView({ panel, query, between, onSelect, aside }: Props) {
  const { t } = useWords();
  const title = panel.title || panel.id;
  if (panel.kind === "text") {
    return (
      <Frame title={panel.title || undefined} aside={aside}>
        <div className={classes.text}>{panel.text}</div>
      </Frame>
    );
  }
  const height = Math.max(80, panel.h * ROW_PX - HEAD_PX);
  if (panel.kind === "timeseries" && query.data && hasPoints(query.data)) {
    return (
      <>
        <Chart panel={panel} data={query.data} between={between} height={height} onSelect={onSelect} />
        {aside && <div>{aside}</div>}
        <Problem data={query.data} />
      </>
    );
  }
  return (
    <Frame title={title} aside={aside} flush>
      <Loaded query={query} skeleton={<ChartSkeleton height={height} />}>
        {(data) => (
          <>
            <Problem data={data} />
            {!hasPoints(data) && data.rows.length === 0 ? (
              data.problem ? null : (
                <Empty title={t("dashboards.noData")} />
              )
            ) : panel.kind === "number" ? (
              <div className={classes.number}>
                <Amount of={formatOf(panel.unit)(lastOf(data))} />
              </div>
            ) : (
              <Table panel={panel} data={data} height={height} />
            )}
          </>
        )}
      </Loaded>
    </Frame>
  );
}

/** A service or host that nobody knows is answered with series of nothing. */
const hasPoints = (data: PanelData) => data.series.some(({ points }) => points.some(([, value]) => value !== null));

function Problem({ data }: { data: PanelData }) {
  const { t } = useWords();
  if (!data.problem && !data.left_out) return null;
  return (
    <div className={classes.problem} role="status">
      {data.problem || t("dashboards.leftOut", { count: data.left_out })}
    </div>
  );
}

const lastOf = (data: PanelData): number | null =>
  data.series[0]?.points.findLast(([, value]) => value !== null)?.[1] ?? null;

type ChartProps = { panel: Panel; data: PanelData; height: number } & Pick<Props, "between" | "onSelect">;

function Chart({ panel, data, between, height, onSelect }: ChartProps) {
  const { t } = useWords();
  const legends = legendsOf(
    data.series.map(({ name }) => name),
    t,
  );
  const moments = [...new Set(data.series.flatMap(({ points }) => points.map(([time]) => time)))].sort((a, b) => a - b);
  return (
    <TimeSeries
      title={panel.title || panel.id}
      times={moments.map((time) => time / 1000)}
      series={data.series.map(({ points }, index) => {
        const at = new Map(points);
        return {
          label: legends[index] as string,
          values: moments.map((time) => at.get(time) ?? null),
          colour: index,
          style: "line" as const,
        };
      })}
      format={formatOf(panel.unit)}
      from={between.from}
      to={between.to}
      height={height}
      sync="dashboard"
      steps={panel.unit.startsWith("bytes") ? "binary" : undefined}
      onSelect={onSelect}
    />
  );
}

type Row = PanelData["rows"][number];

function Table({ panel, data, height }: { panel: Panel; data: PanelData; height: number }) {
  const { t } = useWords();
  const columns = data.columns.map((column, place): Column<Row> => {
    const unit = unitOfColumn(column) ?? panel.unit;
    return {
      key: column,
      header: t(`dashboards.column.${column}` as Key),
      width: place === 0 ? undefined : 120,
      align: place === 0 ? undefined : "right",
      cell: (row) => {
        const value = row[place] ?? null;
        return typeof value === "string" ? (
          <span className="ellipsis" title={value}>
            {value}
          </span>
        ) : (
          text(formatOf(unit)(value))
        );
      },
    };
  });
  return (
    <DataTable
      label={panel.title || panel.id}
      columns={columns}
      rows={data.rows}
      rowKey={(row) => String(row[0])}
      maxHeight={`${height}px`}
      restWidth={140}
    />
  );
}
