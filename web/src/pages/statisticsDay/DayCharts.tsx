import { useMemo } from "react";

import type { DayBlock, StatisticsDay } from "../../api/statisticsTypes";
import { count, duration } from "../../domain/format";
import { useWords } from "../../i18n";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import classes from "./StatisticsDayPage.module.css";
import { axisOf } from "./strip";

interface Props {
  day: StatisticsDay;
  against: StatisticsDay | undefined;
  onSelect: (from: number, to: number) => void;
}

/** The figures of a day block by block, and those of another one under the same clock. */
export function DayCharts({ day, against, onSelect }: Props) {
  const { t } = useWords();
  const { blocks, block_s, date } = day;
  const times = useMemo(() => axisOf(date, blocks.length, block_s), [date, blocks.length, block_s]);
  const seriesOf = useMemo(
    () =>
      (of: (block: DayBlock) => number | null, colour: Series["colour"], style: Series["style"]): Series[] => {
        const values = (one: StatisticsDay) =>
          blocks.map((_, index) => {
            const block = one.blocks[index];
            // counts of the block that still runs would look like a fall
            return block && block.covered_s >= block_s ? of(block) : null;
          });
        const then: Series[] = against
          ? [{ label: against.date, colour: "faint", style: "line", values: values(against) }]
          : [];
        return [{ label: date, colour, style, values: values(day) }, ...then];
      },
    [day, against, blocks, block_s, date],
  );
  const requests = useMemo(() => seriesOf((block) => block.requests, "accent", "area"), [seriesOf]);
  const errors = useMemo(() => seriesOf((block) => block.errors, "error", "area"), [seriesOf]);
  const p95 = useMemo(() => seriesOf((block) => block.p95_ms, "p95", "line"), [seriesOf]);
  const first = (times[0] ?? 0) * 1000;
  const shared = {
    times,
    from: first,
    to: first + blocks.length * block_s * 1000,
    sync: "day",
    onSelect: (from: number, to: number) => {
      const midnight = new Date(day.from).getTime();
      onSelect(midnight + from - first, midnight + to - first);
    },
  };
  return (
    <div className={classes.charts}>
      <TimeSeries title={t("figure.requests")} series={requests} format={count} steps="whole" {...shared} />
      <TimeSeries title={t("figure.errors")} series={errors} format={count} steps="whole" height={110} {...shared} />
      <TimeSeries title="p95" series={p95} format={duration} {...shared} />
    </div>
  );
}
