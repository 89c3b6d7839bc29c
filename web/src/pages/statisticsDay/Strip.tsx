import { useNavigate } from "@tanstack/react-router";
import { type MouseEvent, useMemo } from "react";

import type { DayBlock, StatisticsDay } from "../../api/statisticsTypes";
import { count, text } from "../../domain/format";
import { useWords } from "../../i18n";
import classes from "./StatisticsDayPage.module.css";
import { cellsOf, type DayMetric } from "./strip";

interface Props {
  day: StatisticsDay;
  /** Undefined: all of the app. */
  service: string | undefined;
  metric: DayMetric;
  onRead: (block: DayBlock | undefined) => void;
}

/** The blocks of a day in a row. A block leads to the statistics of its three minutes. */
export function Strip({ day, service, metric, onRead }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const { blocks } = day;
  const cells = useMemo(() => cellsOf(blocks, metric), [blocks, metric]);
  const said = t("day.strip", {
    service: service ?? t("day.all"),
    requests: text(count(day.whole.requests)),
    errors: text(count(day.whole.errors)),
    date: day.date,
  });
  const blockAt = (event: MouseEvent<SVGSVGElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return blocks[Math.floor(((event.clientX - left) / width) * blocks.length)];
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the charts below and the time range lead to the same blocks
    <svg
      className={classes.strip}
      viewBox={`0 0 ${blocks.length} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={said}
      onPointerMove={(event) => onRead(blockAt(event))}
      onPointerLeave={() => onRead(undefined)}
      onClick={(event) => {
        const block = blockAt(event);
        if (!block) return;
        const from = new Date(block.time).getTime();
        void navigate({
          to: "/statistics",
          search: {
            from,
            to: from + day.block_s * 1000,
            app: day.app,
            service,
            by: service ? "endpoint" : "service",
          },
        });
      }}
    >
      {cells.map(({ index, strength, failed }) => (
        <rect
          key={index}
          className={classes.cell}
          data-failed={failed || undefined}
          x={index}
          width={1.02}
          height={1}
          opacity={strength}
        />
      ))}
    </svg>
  );
}
