import { ActionIcon, Button } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type ReactNode,
  useCallback,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";

import type { Trace } from "../../api/types";
import { count, duration, text, tickText } from "../../domain/format";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { usePalette } from "../../theme/theme";
import { fitted } from "../fittedCanvas";
import { SearchField } from "../SearchField";
import { criticalByRow } from "./criticalPath";
import { barsLeft, barsWidth, draw, foldLeft, indentFor, ROW_PX } from "./draw";
import { Minimap } from "./Minimap";
import { hasChildren, type Move, matchesOf, moved, rowOf, toggled, treeOf, unfoldedFor, visibleRows } from "./rows";
import { coveredByChildren } from "./selfTime";
import { Tooltip } from "./Tooltip";
import { type BarScale, type TimeWindow, ticks, timeAt, wholeOf, xOf, zoomed } from "./timeScale";
import classes from "./Waterfall.module.css";

interface Props {
  trace: Trace;
  colourOf: ReadonlyMap<string, string>;
  /** Id of the chosen span. */
  selected: string | undefined;
  onSelect: (spanId: string | undefined) => void;
  search: string;
  onSearch: (words: string) => void;
  /** Dim what is not on the critical path. */
  onlyCritical: boolean;
  onOnlyCritical: (only: boolean) => void;
  /** Told of where the bars stand, whenever that changes. */
  onScale?: (scale: BarScale) => void;
  /** Beside the bars, e.g. the chosen span's details. */
  children?: ReactNode;
}

const KEYS: Record<string, Move> = {
  ArrowUp: "up",
  ArrowDown: "down",
  PageUp: "pageUp",
  PageDown: "pageDown",
  Home: "first",
  End: "last",
  ArrowRight: "in",
  ArrowLeft: "out",
};
const ZOOM_STEP = 1.6;
const LEAST_DRAG_PX = 6;
const NO_MATCHES: ReadonlySet<number> = new Set();

/** All spans of a trace over its time. Drawn on a canvas, only what is in view: 100,000 rows scroll like 100. */
export function Waterfall(props: Props) {
  const { trace, colourOf, selected, onSelect, search, onSearch, onlyCritical, onOnlyCritical, children } = props;
  const { t } = useWords();
  const palette = usePalette();
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [window_, setWindow] = useState<TimeWindow>(wholeOf(trace.duration_ms));
  const [hover, setHover] = useState<{ index: number; x: number; y: number } | null>(null);
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);

  const tree = useMemo(() => treeOf(trace.spans), [trace]);
  const rows = useMemo(() => visibleRows(tree, folded), [tree, folded]);
  const deepest = useMemo(() => trace.spans.reduce((most, { depth }) => Math.max(most, depth), 0), [trace]);
  // typing goes on while a large trace is searched
  const words = useDeferredValue(search);
  const found = useMemo(() => matchesOf(trace.spans, words), [trace, words]);
  const matches = useMemo(() => (found.length ? new Set(found) : NO_MATCHES), [found]);
  const covered = useMemo(() => remembering((index) => coveredByChildren(tree, index)), [tree]);
  const critical = useMemo(() => criticalByRow(trace.critical_path), [trace]);
  const chosen = selected === undefined ? -1 : (tree.indexOf.get(selected) ?? -1);

  const treeWidth = Math.round(Math.min(460, Math.max(150, size.width * (size.width < 600 ? 0.46 : 0.36))));
  const room = barsWidth(size.width, treeWidth);
  const indent = indentFor(deepest, treeWidth);
  const { onScale } = props;
  useEffect(() => {
    if (size.width > 0) onScale?.({ left: barsLeft(treeWidth), width: room, window: window_ });
  }, [onScale, size.width, treeWidth, room, window_]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const resized = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);

  // scrolling draws and does not render: the rows are the only thing that it moves
  const paint = useRef(() => {});
  paint.current = () => {
    const context = fitted(canvas.current, size.width, size.height);
    if (!context) return;
    const scrollTop = scroller.current?.scrollTop ?? 0;
    const firstRow = Math.floor(scrollTop / ROW_PX);
    draw(context, {
      tree,
      rows,
      firstRow,
      shift: scrollTop - firstRow * ROW_PX,
      folded,
      selected: chosen,
      hovered: hover?.index ?? -1,
      matches,
      window: window_,
      ...size,
      treeWidth,
      indent,
      colourOf,
      covered,
      critical,
      onlyCritical,
      palette,
    });
  };
  const frame = useRef(0);
  const paintSoon = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => paint.current());
  }, []);
  useEffect(paintSoon);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const reveal = useCallback(
    (index: number, open: ReadonlySet<number>) => {
      const element = scroller.current;
      if (!element) return;
      const top = rowOf(visibleRows(tree, open), index) * ROW_PX;
      if (top < element.scrollTop) element.scrollTop = Math.max(0, top - ROW_PX);
      else if (top + ROW_PX > element.scrollTop + element.clientHeight) {
        element.scrollTop = top - element.clientHeight / 2;
      }
    },
    [tree],
  );

  const choose = (index: number, open: ReadonlySet<number> = folded) => {
    const unfolded = unfoldedFor(tree, open, index);
    setFolded(unfolded);
    reveal(index, unfolded);
    onSelect(tree.spans[index]?.span_id);
  };

  // a deep link shows its span
  const shownFirst = useRef(false);
  useEffect(() => {
    if (shownFirst.current || size.height === 0) return;
    shownFirst.current = true;
    if (chosen >= 0) reveal(chosen, folded);
  }, [size.height, chosen, folded, reveal]);

  const zoomBy = (factor: number, centre = (window_.from + window_.to) / 2) =>
    setWindow((before) => zoomed(before, factor, centre, trace.duration_ms));

  const chooseNext = (among: readonly number[], direction: 1 | -1) => {
    if (among.length === 0) return;
    const after = direction === 1 ? among.find((index) => index > chosen) : among.findLast((index) => index < chosen);
    choose(after ?? (among.at(direction === 1 ? 0 : -1) as number));
  };
  const nextMatch = (direction: 1 | -1) => chooseNext(found, direction);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = KEYS[event.key];
    if (move) {
      const page = Math.max(1, Math.floor(size.height / ROW_PX) - 1);
      const next = moved(tree, rows, { selected: chosen, folded }, move, page);
      if (next.folded !== folded) setFolded(next.folded);
      choose(next.selected, next.folded);
    } else if (event.key === "+" || event.key === "=") zoomBy(1 / ZOOM_STEP);
    else if (event.key === "-") zoomBy(ZOOM_STEP);
    else if (event.key === "0") setWindow(wholeOf(trace.duration_ms));
    else if (event.key === "n") nextMatch(1);
    else if (event.key === "N") nextMatch(-1);
    else if (event.key === "Escape") onSelect(undefined);
    else return;
    event.preventDefault();
  };

  // React listens passively to wheels, and zooming must keep the page from zooming too
  const onWheel = useRef<(event: WheelEvent) => void>(() => {});
  onWheel.current = (event) => {
    const { left } = (scroller.current as HTMLElement).getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const centre = timeAt(event.clientX - left - barsLeft(treeWidth), window_, room);
      zoomBy(event.deltaY > 0 ? 1.15 : 1 / 1.15, centre);
    }
  };
  useEffect(() => {
    const element = scroller.current;
    const listener = (event: WheelEvent) => onWheel.current(event);
    element?.addEventListener("wheel", listener, { passive: false });
    return () => element?.removeEventListener("wheel", listener);
  }, []);

  const pointAt = (event: MouseEvent<HTMLElement>) => {
    const box = (scroller.current as HTMLElement).getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    return { x, y, index: rows[Math.floor((y + (scroller.current?.scrollTop ?? 0)) / ROW_PX)] };
  };

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const { x } = pointAt(event);
    if (event.pointerType === "mouse" && event.button === 0 && x > treeWidth && x < size.width)
      setDrag({ start: x, end: x });
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const { x, y, index } = pointAt(event);
    if (drag) setDrag({ ...drag, end: Math.min(size.width, Math.max(treeWidth, x)) });
    setHover(index === undefined || event.pointerType !== "mouse" ? null : { index, x, y });
  };
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const dragged = drag && Math.abs(drag.end - drag.start) > LEAST_DRAG_PX ? drag : null;
    setDrag(null);
    if (dragged) {
      const [from, to] = [Math.min(dragged.start, dragged.end), Math.max(dragged.start, dragged.end)];
      const left = barsLeft(treeWidth);
      setWindow({ from: timeAt(from - left, window_, room), to: timeAt(to - left, window_, room) });
      return;
    }
    const { x, index } = pointAt(event);
    if (index === undefined) return;
    const arrow = foldLeft(tree.spans[index]?.depth ?? 0, indent);
    if (hasChildren(tree, index) && x >= arrow - 6 && x <= arrow + 16) setFolded(toggled(folded, index));
    else onSelect(tree.spans[index]?.span_id);
  };

  const span = tree.spans[chosen];
  const hovered = hover && !drag ? tree.spans[hover.index] : undefined;
  const isWhole = window_.from <= 0 && window_.to >= trace.duration_ms;
  const outer = useMemo(() => outerBranches(tree), [tree]);
  return (
    <div className={classes.waterfall}>
      <div className={classes.tools}>
        <SearchField
          label={t("waterfall.search")}
          width={280}
          value={search}
          onChange={onSearch}
          onEnter={(typed, back) => chooseNext(matchesOf(trace.spans, typed), back ? -1 : 1)}
        />
        {search && (
          <span className={classes.found} aria-live="polite">
            {t("waterfall.found", { count: found.length })}
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              onClick={() => nextMatch(-1)}
              aria-label={t("waterfall.previous")}
            >
              <IconChevronUp size={14} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              onClick={() => nextMatch(1)}
              aria-label={t("waterfall.next")}
            >
              <IconChevronDown size={14} />
            </ActionIcon>
          </span>
        )}
        <span className={classes.gap} />
        <Button
          size="compact-xs"
          variant={onlyCritical ? "light" : "default"}
          aria-pressed={onlyCritical}
          title={t("waterfall.critical.hint")}
          onClick={() => onOnlyCritical(!onlyCritical)}
        >
          {t("waterfall.critical")}
        </Button>
        {!isWhole && (
          <Button size="compact-xs" variant="light" onClick={() => setWindow(wholeOf(trace.duration_ms))}>
            {t("waterfall.whole")}
          </Button>
        )}
        <ActionIcon
          variant="default"
          size="sm"
          onClick={() => zoomBy(1 / ZOOM_STEP)}
          aria-label={t("zoom.in")}
          title={t("zoom.in")}
        >
          <IconZoomIn size={14} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          size="sm"
          onClick={() => zoomBy(ZOOM_STEP)}
          aria-label={t("zoom.out")}
          title={t("zoom.out")}
        >
          <IconZoomOut size={14} />
        </ActionIcon>
        <Button size="compact-xs" variant="default" onClick={() => setFolded(folded.size ? new Set() : outer)}>
          {folded.size ? t("waterfall.unfold") : t("waterfall.fold")}
        </Button>
      </div>
      <div className={classes.body}>
        <div className={classes.column}>
          <div className={classes.head} style={{ gridTemplateColumns: `${treeWidth}px 1fr` }}>
            <div className={classes.headName}>
              {t("waterfall.spans", { shown: text(count(rows.length)), all: text(count(trace.spans.length)) })}
            </div>
            <div className={classes.headTime}>
              <Minimap
                spans={trace.spans}
                duration_ms={trace.duration_ms}
                window={window_}
                onWindow={setWindow}
                colourOf={colourOf}
                palette={palette}
              />
              <div className={classes.axis} aria-hidden="true">
                {ticks(window_, room).map((tick) => (
                  <span key={tick} style={{ left: xOf(tick, window_, room) }}>
                    {tickText(duration(tick))}
                  </span>
                ))}
              </div>
            </div>
          </div>
          <div className={classes.stage}>
            <div
              ref={scroller}
              className={classes.scroller}
              role="application"
              aria-roledescription={t("waterfall.role")}
              aria-label={t("waterfall.label")}
              // biome-ignore lint/a11y/noNoninteractiveTabindex: it is interactive, by the keys above
              tabIndex={0}
              data-testid={TEST_IDS.waterfall}
              data-rows={rows.length}
              onKeyDown={onKeyDown}
              onScroll={() => {
                paintSoon();
                setHover(null);
              }}
              onPointerDown={onPointerDown}
              onPointerMove={onPointerMove}
              onPointerLeave={() => setHover(null)}
              onClick={onClick}
              onDoubleClick={() => setWindow(wholeOf(trace.duration_ms))}
            >
              <canvas ref={canvas} className={classes.canvas} />
              <div style={{ height: Math.max(0, rows.length * ROW_PX - size.height) }} />
            </div>
            {drag && Math.abs(drag.end - drag.start) > LEAST_DRAG_PX && (
              <div
                className={classes.chosen}
                style={{ left: Math.min(drag.start, drag.end), width: Math.abs(drag.end - drag.start) }}
              />
            )}
            {hovered && hover && (
              <Tooltip span={hovered} x={hover.x} y={tooltipTop(hover.y, size.height)} room={size.width} />
            )}
          </div>
        </div>
        {children}
      </div>
      <div className="visually-hidden" aria-live="polite" data-testid={TEST_IDS.waterfallStatus}>
        {span &&
          t("waterfall.status", {
            name: span.name,
            service: span.service,
            duration: text(duration(span.duration_ms)),
            row: rowOf(rows, chosen) + 1,
            rows: rows.length,
          })}
        {span?.error && ` ${t("health.error")}`}
      </div>
    </div>
  );
}

/** Below the pointer, or above it near the bottom. */
const tooltipTop = (y: number, height: number) => (y + 190 > height ? Math.max(4, y - 170) : y + 18);

function remembering(compute: (index: number) => readonly number[]): (index: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  return (index) => {
    let value = known.get(index);
    if (!value) {
      value = compute(index);
      known.set(index, value);
    }
    return value;
  };
}

/** Closing these leaves the roots and their children. */
function outerBranches(tree: ReturnType<typeof treeOf>): ReadonlySet<number> {
  const outer = new Set<number>();
  tree.spans.forEach((span, index) => {
    if (span.depth === 1 && hasChildren(tree, index)) outer.add(index);
  });
  return outer;
}
