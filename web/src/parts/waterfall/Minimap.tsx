import { type PointerEvent, useEffect, useRef, useState } from "react";

import type { Span } from "../../api/types";
import { useWords } from "../../i18n";
import type { Palette } from "../../theme/palette";
import { moved, type TimeWindow, timeAt, wholeOf, xOf } from "./timeScale";
import classes from "./Waterfall.module.css";

interface Props {
  spans: readonly Span[];
  duration_ms: number;
  window: TimeWindow;
  onWindow: (window: TimeWindow) => void;
  colourOf: ReadonlyMap<string, string>;
  palette: Palette;
}

const HEIGHT_PX = 40;

/** The whole trace in small. Dragging over it chooses what the bars show, dragging the choice moves it. */
export function Minimap({ spans, duration_ms, window, onWindow, colourOf, palette }: Props) {
  const { t } = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [drag, setDrag] = useState<{ start: number; end: number } | { grip: number; from: TimeWindow } | null>(null);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const resized = new ResizeObserver(() => setWidth(element.clientWidth));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width > 0) drawAll(canvas.current, spans, duration_ms, width, colourOf, palette);
  }, [spans, duration_ms, width, colourOf, palette]);

  const whole = wholeOf(duration_ms);
  const isWhole = window.from <= 0 && window.to >= whole.to;
  const chosen =
    drag && "start" in drag
      ? { from: Math.min(drag.start, drag.end), to: Math.max(drag.start, drag.end) }
      : { from: xOf(window.from, whole, width), to: xOf(window.to, whole, width) };

  const xIn = (event: PointerEvent<HTMLElement>) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    return Math.min(width, Math.max(0, event.clientX - left));
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const x = xIn(event);
    if (!isWhole && x >= chosen.from && x <= chosen.to) setDrag({ grip: x, from: window });
    else setDrag({ start: x, end: x });
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    if (!drag) return;
    const x = xIn(event);
    if ("start" in drag) setDrag({ ...drag, end: x });
    else onWindow(moved(drag.from, timeAt(x, whole, width) - timeAt(drag.grip, whole, width), duration_ms));
  };
  const onPointerUp = () => {
    if (drag && "start" in drag && chosen.to - chosen.from > 4) {
      onWindow({ from: timeAt(chosen.from, whole, width), to: timeAt(chosen.to, whole, width) });
    }
    setDrag(null);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a comfort for the mouse; the keys + - 0 do the same
    <div
      className={classes.minimap}
      style={{ height: HEIGHT_PX }}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onDoubleClick={() => onWindow(whole)}
      title={t("waterfall.minimap")}
    >
      <canvas ref={canvas} style={{ width: "100%", height: HEIGHT_PX }} />
      {(drag || !isWhole) && (
        <>
          <div className={classes.outside} style={{ left: 0, width: chosen.from }} />
          <div className={classes.outside} style={{ left: chosen.to, right: 0 }} />
          <div className={classes.chosen} style={{ left: chosen.from, width: Math.max(2, chosen.to - chosen.from) }} />
        </>
      )}
    </div>
  );
}

function drawAll(
  canvas: HTMLCanvasElement,
  spans: readonly Span[],
  duration_ms: number,
  width: number,
  colourOf: ReadonlyMap<string, string>,
  palette: Palette,
): void {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT_PX * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(ratio, ratio);
  const whole = wholeOf(duration_ms);
  const room = HEIGHT_PX - 6;
  const thickness = Math.min(4, Math.max(0.8, room / Math.max(1, spans.length)));
  spans.forEach((span, index) => {
    const x = xOf(span.offset_ms, whole, width);
    const y = 3 + (index / spans.length) * room;
    context.fillStyle = span.error ? palette.error : (colourOf.get(span.service) ?? palette.idle);
    context.fillRect(x, y, Math.max(1, xOf(span.duration_ms, whole, width)), thickness);
  });
}
