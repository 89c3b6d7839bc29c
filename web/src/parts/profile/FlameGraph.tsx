import { ActionIcon, Button } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";

import { percent, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { usePalette } from "../../theme/theme";
import { fitted } from "../fittedCanvas";
import { weightText } from "./amounts";
import { boxOf, draw, nodeUnder, ROW_PX, type Window } from "./drawFlames";
import classes from "./FlameGraph.module.css";
import { FlameTooltip } from "./FlameTooltip";
import { changeColours, changePlace, colourPlaces, flameColours } from "./flameColours";
import { type Move, moved } from "./flameMoves";
import { type FlameTree, matchedShare, nodeAt, pathOf, wayTo } from "./flameTree";
import { matching } from "./frames";
import { at } from "./profile";

interface Props {
  tree: FlameTree;
  /** Path of the zoomed node, as in the address. */
  zoom: string | undefined;
  onZoom: (path: string | undefined) => void;
  search: string;
  /** Somebody wants to know more of the function of this frame. */
  onFunction?: (frame: number) => void;
}

const KEYS: Record<string, Move> = {
  ArrowUp: "out",
  ArrowDown: "in",
  ArrowLeft: "before",
  ArrowRight: "after",
  Home: "first",
};
const ZOOM_STEP = 1.5;
const WHEEL_STEP = 1.15;
/** Callers that stay in view above a zoomed node. */
const ROWS_ABOVE = 3;
/** Nobody can see what is less than this part of everything. */
const NARROWEST = 1e-7;

/** Where the weight of a profile lies: a box is a function, its width its weight, below it is what it called. */
export function FlameGraph({ tree, zoom, onZoom, search, onFunction }: Props) {
  const { t } = useWords();
  const palette = usePalette();
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [hover, setHover] = useState<{ node: number; x: number; y: number } | null>(null);
  const [selected, setSelected] = useState(-1);
  const zoomed = useMemo(() => nodeAt(tree, zoom), [tree, zoom]);
  const [free, setFree] = useState<{ of: number; tree: FlameTree; window: Window } | null>(null);
  const window_ = free && free.of === zoomed && free.tree === tree ? free.window : windowOf(tree, zoomed);
  const matches = useMemo(() => matching(tree.frames, search), [tree, search]);
  const share = useMemo(() => (matches ? matchedShare(tree, matches) : null), [tree, matches]);

  const colours = useMemo(() => (tree.compared ? changeColours(palette) : flameColours(palette)), [tree, palette]);
  const colourOf = useMemo(() => {
    const { compared } = tree;
    if (compared) {
      const { before, now, beforeAll, nowAll } = compared;
      return (node: number) => changePlace(part(at(before, node), beforeAll), part(at(now, node), nowAll));
    }
    const places = colourPlaces(tree.frames, palette.series.length);
    return (node: number) => at(places, at(tree.frame, node));
  }, [tree, palette]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const resized = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);

  // scrolling draws and does not render
  const paint = useRef(() => {});
  paint.current = () => {
    const context = fitted(canvas.current, size.width, size.height);
    if (!context) return;
    const began = performance.now();
    const boxes = draw(context, {
      tree,
      window: window_,
      ...size,
      scrollTop: scroller.current?.scrollTop ?? 0,
      colourOf,
      colours,
      matches,
      zoomed,
      rootLabel: t(tree.inverted ? "flame.allLeaves" : "flame.all"),
      palette,
    });
    if (scroller.current) {
      scroller.current.dataset.boxes = String(boxes);
      scroller.current.dataset.drawMs = (performance.now() - began).toFixed(2);
    }
  };
  const frame = useRef(0);
  const paintSoon = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => paint.current());
  }, []);
  useEffect(paintSoon);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const reveal = useCallback(
    (node: number, above: number) => {
      const element = scroller.current;
      if (!element) return;
      const top = at(tree.depth, node) * ROW_PX;
      if (top < element.scrollTop || top + ROW_PX > element.scrollTop + element.clientHeight || above) {
        element.scrollTop = Math.max(0, top - above * ROW_PX);
      }
    },
    [tree],
  );
  useEffect(() => {
    if (size.height > 0) reveal(zoomed, ROWS_ABOVE);
    setSelected(zoomed > 0 ? zoomed : -1);
  }, [zoomed, size.height, reveal]);

  const zoomTo = (node: number) => {
    setHover(null);
    setFree(null);
    onZoom(pathOf(tree, node));
  };
  const zoomBy = (factor: number, centre = (window_.from + window_.to) / 2) => {
    setHover(null);
    setFree({ of: zoomed, tree, window: widened(window_, factor, centre, at(tree.total, 0)) });
  };

  const chooseMatch = (direction: 1 | -1) => {
    const next = matches ? nextMatch(tree, matches, selected, direction) : -1;
    if (next < 0) return;
    setSelected(next);
    reveal(next, 0);
    const { from, to } = window_;
    const start = at(tree.start, next);
    if (start + at(tree.total, next) <= from || start >= to) setFree({ of: zoomed, tree, window: windowOf(tree, 0) });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = KEYS[event.key];
    if (move) {
      const next = moved(tree, selected < 0 ? zoomed : selected, move);
      setSelected(next);
      reveal(next, 0);
    } else if (event.key === "Enter" && selected >= 0) zoomTo(selected);
    else if (event.key === "Backspace" && zoomed > 0) zoomTo(at(tree.parent, zoomed));
    else if (event.key === "Escape" || event.key === "0") zoomTo(0);
    else if (event.key === "+" || event.key === "=") zoomBy(1 / ZOOM_STEP);
    else if (event.key === "-") zoomBy(ZOOM_STEP);
    else if (event.key === "n") chooseMatch(1);
    else if (event.key === "N") chooseMatch(-1);
    else if (event.key === "c" && selected > 0 && onFunction) onFunction(at(tree.frame, selected));
    else return;
    event.preventDefault();
  };

  const scene = { tree, window: window_, width: size.width, scrollTop: scroller.current?.scrollTop ?? 0 };
  // React listens passively to wheels, and zooming must keep the page from zooming too
  const onWheel = useRef<(event: WheelEvent) => void>(() => {});
  onWheel.current = (event) => {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!(event.ctrlKey || event.metaKey || sideways)) return;
    event.preventDefault();
    const wide = window_.to - window_.from;
    if (sideways) {
      const by = ((event.deltaX || event.deltaY) / size.width) * wide;
      setHover(null);
      setFree({ of: zoomed, tree, window: kept(window_.from + by, wide, at(tree.total, 0)) });
      return;
    }
    const { left } = (scroller.current as HTMLElement).getBoundingClientRect();
    zoomBy(event.deltaY > 0 ? WHEEL_STEP : 1 / WHEEL_STEP, window_.from + ((event.clientX - left) / size.width) * wide);
  };
  useEffect(() => {
    const element = scroller.current;
    const listener = (event: WheelEvent) => onWheel.current(event);
    element?.addEventListener("wheel", listener, { passive: false });
    return () => element?.removeEventListener("wheel", listener);
  }, []);

  const pointAt = (event: MouseEvent<HTMLElement>) => {
    const box = (scroller.current as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return { x, y, node: nodeUnder({ ...scene, scrollTop: scroller.current?.scrollTop ?? 0 }, x, y) };
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const { x, y, node } = pointAt(event);
    setHover(node < 0 || event.pointerType !== "mouse" ? null : { node, x, y });
  };
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const { node } = pointAt(event);
    if (node >= 0) zoomTo(node);
  };

  const shown = selected >= 0 && selected < tree.frame.length ? selected : -1;
  const isWhole = zoomed === 0 && window_.to - window_.from >= at(tree.total, 0);
  return (
    <div className={classes.flames}>
      <div className={classes.bar}>
        <Way tree={tree} node={zoomed} onZoom={zoomTo} />
        {share !== null && (
          <span className={classes.found} aria-live="polite" data-testid={TEST_IDS.flameMatched}>
            {t("flame.matched", { share: text(percent(share)) })}
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              onClick={() => chooseMatch(-1)}
              aria-label={t("waterfall.previous")}
            >
              <IconChevronUp size={14} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              onClick={() => chooseMatch(1)}
              aria-label={t("waterfall.next")}
            >
              <IconChevronDown size={14} />
            </ActionIcon>
          </span>
        )}
        {!isWhole && (
          <Button size="compact-xs" variant="light" onClick={() => zoomTo(0)}>
            {t("flame.whole")}
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
      </div>
      <div className={classes.stage} style={{ height: `min(max(58dvh, 260px), ${(tree.deepest + 1) * ROW_PX + 2}px)` }}>
        <div
          ref={scroller}
          className={classes.scroller}
          role="application"
          aria-roledescription={t("flame.role")}
          aria-label={t("flame.label")}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it is interactive, by the keys above
          tabIndex={0}
          data-testid={TEST_IDS.flameGraph}
          data-nodes={tree.frame.length - 1}
          onKeyDown={onKeyDown}
          onScroll={() => {
            paintSoon();
            setHover(null);
          }}
          onPointerMove={onPointerMove}
          onPointerLeave={() => setHover(null)}
          onClick={onClick}
        >
          <canvas ref={canvas} className={classes.canvas} />
          <div style={{ height: Math.max(0, (tree.deepest + 1) * ROW_PX - size.height) }} />
        </div>
        {shown >= 0 && <Outline scene={scene} node={shown} chosen height={size.height} />}
        {hover && <Outline scene={scene} node={hover.node} height={size.height} />}
        {hover && <FlameTooltip tree={tree} node={hover.node} x={hover.x} y={hover.y} {...size} />}
      </div>
      <div className={classes.status} aria-live="polite" data-testid={TEST_IDS.flameStatus}>
        {shown > 0 ? (
          <Told tree={tree} node={shown} onFunction={onFunction} />
        ) : (
          <span className={classes.hint}>{t("flame.hint")}</span>
        )}
      </div>
    </div>
  );
}

/** The zoomed node in words, for those without a mouse to hover with. */
function Told({ tree, node, onFunction }: { tree: FlameTree; node: number; onFunction?: (frame: number) => void }) {
  const { t } = useWords();
  const index = at(tree.frame, node);
  const weight = tree.compared ? at(tree.compared.now, node) : at(tree.total, node);
  const all = tree.compared ? tree.compared.nowAll : at(tree.total, 0);
  const file = tree.frames.file[index] as string;
  return (
    <>
      <span className={classes.statusName}>{tree.frames.name[index]}</span>
      {file && (
        <span className="mono muted">
          {file}:{at(tree.line, node) || at(tree.frames.line, index)}
        </span>
      )}
      <span>
        {text(weightText(weight, tree.unit))} · {text(percent(part(weight, all)))}
      </span>
      {onFunction && (
        <Button size="compact-xs" variant="subtle" onClick={() => onFunction(index)}>
          {t("flame.callers")}
        </Button>
      )}
    </>
  );
}

function Way({ tree, node, onZoom }: { tree: FlameTree; node: number; onZoom: (node: number) => void }) {
  const { t } = useWords();
  const end = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a longer way is read at its end
  useEffect(() => {
    if (end.current) end.current.scrollLeft = end.current.scrollWidth;
  }, [node]);
  const way = wayTo(tree, node);
  return (
    <nav ref={end} className={classes.way} aria-label={t("flame.way")} data-testid={TEST_IDS.flameWay}>
      <button type="button" onClick={() => onZoom(0)} disabled={node === 0}>
        {t(tree.inverted ? "flame.allLeaves" : "flame.all")}
      </button>
      {way.map((step) => (
        <button key={step} type="button" onClick={() => onZoom(step)} disabled={step === node}>
          {tree.frames.name[at(tree.frame, step)]}
        </button>
      ))}
    </nav>
  );
}

interface OutlineProps {
  scene: Parameters<typeof boxOf>[0];
  node: number;
  chosen?: boolean;
  height: number;
}

function Outline({ scene, node, chosen, height }: OutlineProps) {
  const { left, top, width } = boxOf(scene, node);
  if (width < 1 || top < 0 || top > height - ROW_PX) return null;
  return <div className={classes.outline} data-chosen={chosen} style={{ left, top, width, height: ROW_PX - 1 }} />;
}

const part = (weight: number, all: number) => (all > 0 ? weight / all : 0);

function windowOf(tree: FlameTree, node: number): Window {
  const from = at(tree.start, node);
  return { from, to: from + Math.max(at(tree.total, node), Number.MIN_VALUE) };
}

function widened(window: Window, factor: number, centre: number, all: number): Window {
  const wide = Math.min(all, Math.max(all * NARROWEST, (window.to - window.from) * factor));
  const share = (centre - window.from) / (window.to - window.from);
  return kept(centre - share * wide, wide, all);
}

function kept(from: number, wide: number, all: number): Window {
  const start = Math.min(Math.max(0, from), all - wide);
  return { from: start, to: start + wide };
}

/** The next node in drawing order whose function matches, around the end. */
function nextMatch(tree: FlameTree, matches: Uint8Array, from: number, direction: 1 | -1): number {
  const size = tree.frame.length;
  for (let step = 1; step < size; step++) {
    const node = (((Math.max(from, 0) + direction * step) % size) + size) % size;
    if (node > 0 && matches[at(tree.frame, node)]) return node;
  }
  return -1;
}
