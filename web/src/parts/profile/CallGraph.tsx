import { useEffect, useMemo, useRef } from "react";

import { count, duration, percent, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { shortened } from "../shortened";
import classes from "./CallGraph.module.css";
import { BOX, placed } from "./callLayout";
import { type Calls, surroundings } from "./calls";
import { placeOf } from "./frames";

interface Props {
  calls: Calls;
  /** Index of the function in the middle. */
  centre: number;
  onFunction: (index: number) => void;
}

const MOST_BOXES = 18;
const LONGEST_NAME = 26;
const THICKEST_PX = 5;

/** A function among those that called it and those it called; a box leads on. A chunk of its own, for the layout. */
export default function CallGraph({ calls, centre, onFunction }: Props) {
  const { t } = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const { width, height, boxes, lines } = useMemo(
    () => placed(surroundings(calls, centre, MOST_BOXES)),
    [calls, centre],
  );
  useEffect(() => {
    const box = boxes.get(centre);
    const element = scroller.current;
    if (!box || !element) return;
    element.scrollLeft = box.x + BOX.width / 2 - element.clientWidth / 2;
    element.scrollTop = box.y + BOX.height / 2 - element.clientHeight / 2;
  }, [boxes, centre]);
  const heaviest = lines.reduce((most, { weight }) => Math.max(most, weight), 1);
  return (
    <div ref={scroller} className={classes.scroller} data-testid={TEST_IDS.callGraph}>
      <svg width={width} height={height} className={classes.graph}>
        <title>{t("profile.view.graph")}</title>
        <defs>
          <marker
            id="call-arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
            markerUnits="userSpaceOnUse"
          >
            <path d="M0 0.5 7.5 4 0 7.5Z" className={classes.arrow} />
          </marker>
        </defs>
        {lines.map(({ caller, callee, path, weight, calls: times, x, y }) => (
          <g key={`${caller} ${callee}`} data-near={caller === centre || callee === centre || undefined}>
            <path
              d={path}
              className={classes.line}
              strokeWidth={1 + (weight / heaviest) * (THICKEST_PX - 1)}
              markerEnd="url(#call-arrow)"
            />
            <text x={x} y={y - 6} className={classes.times}>
              {text(count(times))}×
            </text>
          </g>
        ))}
        {[...boxes].map(([index, { x, y }]) => {
          const row = calls.rows[index];
          if (!row) return null;
          const share = calls.weight > 0 ? row.self / calls.weight : 0;
          return (
            // biome-ignore lint/a11y/useSemanticElements: a button cannot stand within an SVG
            <g
              key={index}
              transform={`translate(${x} ${y})`}
              className={classes.box}
              data-centre={index === centre || undefined}
              role="button"
              tabIndex={0}
              aria-label={row.name}
              onClick={() => onFunction(index)}
              onKeyDown={(event) => {
                if (event.key === "Enter") onFunction(index);
              }}
            >
              <title>{[row.name, placeOf(row.file, row.line)].filter(Boolean).join("\n")}</title>
              <rect width={BOX.width} height={BOX.height} rx={5} className={classes.ground} />
              <rect y={BOX.height - 4} width={BOX.width * Math.min(1, share)} height={4} className={classes.share} />
              <text x={9} y={17} className={classes.name}>
                {shortened(row.name, LONGEST_NAME)}
              </text>
              <text x={9} y={32} className={classes.figures}>
                {`${text(count(row.calls))}× · ${text(duration(row.self / 1e6))} · ${text(percent(share))}`}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
