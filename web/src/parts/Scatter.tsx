import { type PointerEvent, useEffect, useRef, useState } from "react";

import { duration, tickText } from "../domain/format";
import classes from "./Scatter.module.css";
import { decades, decadesAround, heightOf } from "./scatter";
import { timeLabel, timeTicks } from "./timeAxis";

export interface Dot {
  key: string;
  /** Epoch milliseconds. */
  time: number;
  duration_ms: number;
  error: boolean;
  title: string;
}

interface Props {
  label: string;
  dots: readonly Dot[];
  from: number;
  to: number;
  onOpen: (key: string) => void;
  /** Dragging asks for this time. */
  onSelect: (from: number, to: number) => void;
  height?: number;
}

const LEFT_PX = 58;
const FOOT_PX = 20;
const TOP_PX = 8;
/** Room for one label of the time axis. */
const TICK_PX = 90;
const LEAST_DRAG_PX = 6;

/** Durations over time, by powers of ten: groups of slow requests show at once. */
export function Scatter({ label, dots, from, to, onOpen, onSelect, height = 132 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const resized = new ResizeObserver(() => setWidth(element.clientWidth));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);

  const scale = decadesAround(dots.map(({ duration_ms }) => duration_ms));
  const room = { width: Math.max(1, width - LEFT_PX - 12), height: height - FOOT_PX - TOP_PX };
  const xOf = (time: number) => LEFT_PX + ((time - from) / (to - from)) * room.width;
  const yOf = (value: number) => TOP_PX + (1 - heightOf(value, scale)) * room.height;
  const timeAt = (x: number) => from + ((x - LEFT_PX) / room.width) * (to - from);
  const xIn = (event: PointerEvent<SVGSVGElement>) =>
    Math.min(LEFT_PX + room.width, Math.max(LEFT_PX, event.clientX - event.currentTarget.getBoundingClientRect().left));
  const dragged = drag && Math.abs(drag.end - drag.start) > LEAST_DRAG_PX ? drag : null;
  const axis = timeTicks(from, to, room.width / TICK_PX);

  return (
    <div ref={box} className={classes.scatter}>
      <svg
        width="100%"
        height={height}
        role="img"
        aria-label={label}
        onPointerDown={(event) => {
          if (event.pointerType === "mouse" && event.button === 0) setDrag({ start: xIn(event), end: xIn(event) });
        }}
        onPointerMove={(event) => drag && setDrag({ ...drag, end: xIn(event) })}
        onPointerLeave={() => setDrag(null)}
        onPointerUp={() => {
          if (dragged) {
            onSelect(
              Math.round(timeAt(Math.min(dragged.start, dragged.end))),
              Math.round(timeAt(Math.max(dragged.start, dragged.end))),
            );
          }
          setDrag(null);
        }}
      >
        <title>{label}</title>
        {decades(scale).map((value) => (
          <g key={value}>
            <line x1={LEFT_PX} x2={LEFT_PX + room.width} y1={yOf(value)} y2={yOf(value)} className={classes.grid} />
            <text x={LEFT_PX - 8} y={yOf(value) + 4} textAnchor="end" className={classes.tick}>
              {tickText(duration(value))}
            </text>
          </g>
        ))}
        {axis.times
          .filter((time) => xOf(time) < width - TICK_PX / 3)
          .map((time) => (
            <text key={time} x={xOf(time)} y={height - 5} textAnchor="middle" className={classes.tick}>
              {timeLabel(time / 1000, axis.step_s)}
            </text>
          ))}
        {dots.map((dot) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: the table below has the same rows as links
          <g key={dot.key} onClick={() => onOpen(dot.key)} className={classes.dot}>
            <title>{dot.title}</title>
            {dot.error ? (
              <path d={diamond(xOf(dot.time), yOf(dot.duration_ms), 4.5)} className={classes.error} />
            ) : (
              <circle cx={xOf(dot.time)} cy={yOf(dot.duration_ms)} r={3} className={classes.ok} />
            )}
          </g>
        ))}
        {dragged && (
          <rect
            x={Math.min(dragged.start, dragged.end)}
            width={Math.abs(dragged.end - dragged.start)}
            y={0}
            height={height - FOOT_PX}
            className={classes.selection}
          />
        )}
      </svg>
    </div>
  );
}

const diamond = (x: number, y: number, radius: number) =>
  `M${x} ${y - radius}L${x + radius} ${y}L${x} ${y + radius}L${x - radius} ${y}Z`;
