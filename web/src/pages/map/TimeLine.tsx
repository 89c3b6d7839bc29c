import { ActionIcon, Button } from "@mantine/core";
import { IconPlayerPauseFilled, IconPlayerPlayFilled } from "@tabler/icons-react";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";

import type { MapHistory } from "../../api/mapTypes";
import { duration, moment, rate, text } from "../../domain/format";
import { barsOf, stepAt } from "../../domain/timeLine";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import classes from "./TimeLine.module.css";

interface Props {
  history: MapHistory;
  /** Start of the chosen step, epoch ms; undefined: the whole time. */
  at: number | undefined;
  onChange: (at: number | undefined) => void;
}

const PLAY_EVERY_MS = 1200;
/** The drawing's own units. */
const WIDTH = 1000;
const HEIGHT = 38;
const KEYS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
};

/** Requests over the time of the map; a step that is chosen becomes what the map shows. */
export function TimeLine({ history, at, onChange }: Props) {
  const { t } = useWords();
  const track = useRef<HTMLDivElement>(null);
  const [playing, setPlaying] = useState(false);
  const { moments, step_s } = history;
  const last = moments.length - 1;
  const chosen = at === undefined ? -1 : stepAt(moments, step_s, at);
  const shown = moments[chosen];
  const choose = (index: number) => {
    const next = moments[Math.min(last, Math.max(0, index))];
    if (next) onChange(new Date(next.time).getTime());
  };

  const next = useRef(() => {});
  next.current = () => {
    if (chosen >= last) setPlaying(false);
    else choose(chosen + 1);
  };
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => next.current(), PLAY_EVERY_MS);
    return () => clearInterval(timer);
  }, [playing]);

  const play = () => {
    if (!playing && (chosen < 0 || chosen >= last)) choose(0);
    setPlaying(!playing);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = KEYS[event.key];
    if (by !== undefined) choose(chosen < 0 ? (by < 0 ? last : 0) : chosen + by);
    else if (event.key === "Home") choose(0);
    else if (event.key === "End") choose(last);
    else if (event.key === "Escape") onChange(undefined);
    else return;
    event.preventDefault();
  };
  const onPointer = (event: PointerEvent<HTMLElement>) => {
    if (event.type === "pointermove" && event.buttons !== 1) return;
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPlaying(false);
    choose(Math.floor(((event.clientX - left) / width) * moments.length));
  };

  const wide = WIDTH / Math.max(1, moments.length);
  return (
    <div className={classes.line} data-testid={TEST_IDS.mapTimeLine}>
      <ActionIcon
        variant="default"
        onClick={play}
        aria-label={t(playing ? "map.pause" : "map.play")}
        title={t(playing ? "map.pause" : "map.play")}
      >
        {playing ? <IconPlayerPauseFilled size={14} /> : <IconPlayerPlayFilled size={14} />}
      </ActionIcon>
      <div
        ref={track}
        className={classes.track}
        role="slider"
        tabIndex={0}
        aria-label={t("map.timeLine")}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, chosen)}
        aria-valuetext={shown ? moment(shown.time, "time") : t("map.wholeTime")}
        onKeyDown={onKeyDown}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
      >
        <svg className={classes.bars} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {barsOf(moments, HEIGHT).map(({ key, requests, errors }, index) => (
            <g key={key}>
              <rect
                className={classes.requests}
                x={index * wide}
                width={wide * 0.85}
                y={HEIGHT - requests}
                height={requests}
              />
              <rect
                className={classes.errors}
                x={index * wide}
                width={wide * 0.85}
                y={HEIGHT - errors}
                height={errors}
              />
            </g>
          ))}
          {shown && <rect className={classes.chosen} x={chosen * wide} width={wide} y={0} height={HEIGHT} />}
        </svg>
      </div>
      <span className={classes.label} aria-live="off">
        {at === undefined ? (
          t("map.wholeTime")
        ) : (
          <>
            {moment(new Date(at).toISOString(), "time").slice(0, 8)}{" "}
            <span className="muted">+{text(duration(step_s * 1000))}</span>
            {shown && <div className="muted">{text(rate(shown.requests / Math.max(1, shown.covered_s)))}</div>}
          </>
        )}
      </span>
      {/* its room is kept: else the track would change its width under the pointer */}
      <Button
        size="compact-xs"
        variant="light"
        style={{ visibility: at === undefined ? "hidden" : undefined }}
        onClick={() => {
          setPlaying(false);
          onChange(undefined);
        }}
      >
        {t("map.showWhole")}
      </Button>
    </div>
  );
}
