import { useMemo } from "react";

import type { Service } from "../../api/types";
import { count, duration, rate } from "../../domain/format";
import { betweenOf, type Range } from "../../domain/range";
import { useWords } from "../../i18n";
import { shortened } from "../../parts/shortened";
import { type Series, TimeSeries } from "../../parts/TimeSeries";
import classes from "./OverviewCharts.module.css";
import { together } from "./together";

interface Props {
  services: readonly Service[];
  range: Range;
  onSelect: (from: number, to: number) => void;
}

const LONGEST_KEY = 12;

/** Traffic and errors of all services, and the latency of the busiest. */
export function OverviewCharts({ services, range, onSelect }: Props) {
  const { t } = useWords();
  const { times, requests_per_s, errors, p95s } = useMemo(() => together(services), [services]);
  const traffic = useMemo<Series[]>(
    () => [{ label: t("figure.requests"), colour: "accent", style: "area", values: requests_per_s }],
    [requests_per_s, t],
  );
  const failed = useMemo<Series[]>(
    () => [{ label: t("figure.errors"), colour: "error", style: "bars", values: errors }],
    [errors, t],
  );
  const latency = useMemo<Series[]>(
    () =>
      p95s.map(({ service, values }, colour) => ({
        label: shortened(service, LONGEST_KEY),
        colour,
        style: "line",
        values,
      })),
    [p95s],
  );
  // the range ends now; asked once for each answer, so that the axes stand still between two of them
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new answer is a new moment
  const between = useMemo(() => betweenOf(range), [range, services]);
  const shared = { times, ...between, sync: "overview", onSelect };
  return (
    <div className={classes.charts}>
      <TimeSeries title={t("overview.traffic")} series={traffic} format={rate} {...shared} />
      <TimeSeries title={t("figure.errors")} series={failed} format={count} steps="whole" {...shared} />
      <TimeSeries title={t("overview.p95")} series={latency} format={duration} {...shared} />
    </div>
  );
}
