import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { momentsQuery } from "../../api/queries";
import type { Moment, Moments as Report } from "../../api/types";
import { duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { CopyButton } from "../../parts/CopyButton";
import { Panel } from "../../parts/Panel";
import type { BarScale } from "../../parts/waterfall/timeScale";
import { TEST_IDS } from "../../testIds";
import classes from "./Moments.module.css";
import { kindOf, laneOf, placed } from "./momentLanes";

const FIRST_SHOWN = 100;

interface Props {
  traceId: string;
  onSelect: (spanId: string) => void;
  /** Of the waterfall's bars; undefined until they are drawn. */
  scale: BarScale | undefined;
}

/** What else happened while the trace ran, on its time axis and as a list. Nothing, where nothing is known. */
export function Moments({ traceId, onSelect, scale }: Props) {
  const moments = useQuery(momentsQuery(traceId));
  if (!moments.data || moments.data.moments.length === 0) return null;
  return <Shown report={moments.data} onSelect={onSelect} scale={scale} />;
}

function Shown({ report, onSelect, scale }: Omit<Props, "traceId"> & { report: Report }) {
  const { t } = useWords();
  const [open, setOpen] = useState<number>();
  const [all, setAll] = useState(false);
  const shown = all ? report.moments : report.moments.slice(0, FIRST_SHOWN);
  const lanes = [...new Set(report.moments.map(laneOf))];
  return (
    <Panel
      title={t("moments")}
      aside={report.truncated && <span className="muted">{t("moments.truncated")}</span>}
      flush
      testId={TEST_IDS.moments}
    >
      <div className={classes.axis} aria-hidden>
        {lanes.map((lane) => (
          <div key={lane} className={classes.lane}>
            <span className={classes.laneName} style={scale && { flexBasis: scale.left }}>
              {t(`moment.${lane}` as Key)}
            </span>
            <div className={classes.track} style={scale && { flex: `0 0 ${scale.width}px` }}>
              {report.moments.map((moment, index) => {
                const place = laneOf(moment) === lane ? placed(moment, report.duration_ms, scale?.window) : null;
                return place ? (
                  <button
                    // biome-ignore lint/suspicious/noArrayIndexKey: moments have no id and never change places
                    key={index}
                    type="button"
                    tabIndex={-1}
                    className={classes.mark}
                    data-kind={kindOf(moment)}
                    data-own={moment.own || undefined}
                    style={place}
                    title={`+${text(duration(moment.offset_ms))} ${firstLine(moment.text)}`}
                    onClick={() => setOpen(index)}
                  />
                ) : null;
              })}
            </div>
          </div>
        ))}
      </div>
      <ol className={classes.list}>
        {shown.map((moment, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: moments have no id and never change places
          <li key={index}>
            <button
              type="button"
              className={classes.row}
              aria-expanded={open === index}
              onClick={() => setOpen(open === index ? undefined : index)}
            >
              <span className={`mono ${classes.when}`}>{offset(moment.offset_ms)}</span>
              <span className={classes.kind} data-kind={kindOf(moment)}>
                {t(`moment.${laneOf(moment)}` as Key)}
              </span>
              <span className={`mono ${classes.lasted}`}>
                {moment.duration_ms > 0 ? text(duration(moment.duration_ms)) : ""}
              </span>
              <span className={`ellipsis ${classes.said}`}>{firstLine(moment.text) || moment.event}</span>
              {!moment.own && <span className={classes.beside}>{t("moments.beside")}</span>}
            </button>
            {open === index && <Details moment={moment} onSelect={onSelect} />}
          </li>
        ))}
      </ol>
      {!all && report.moments.length > FIRST_SHOWN && (
        <button type="button" className={`link ${classes.more}`} onClick={() => setAll(true)}>
          {t("moments.all", { count: report.moments.length })}
        </button>
      )}
    </Panel>
  );
}

function Details({ moment, onSelect }: { moment: Moment; onSelect: (spanId: string) => void }) {
  const { t } = useWords();
  return (
    <div className={classes.details}>
      <div className={classes.where}>
        <span>
          {moment.service} · {moment.instance}
        </span>
        {moment.span_id && (
          <button type="button" className="link" onClick={() => onSelect(moment.span_id)}>
            {t("moments.span")}
          </button>
        )}
        <CopyButton text={moment.text} what={t("moments")} />
      </div>
      <pre className={classes.text}>{moment.text}</pre>
      {Object.entries(moment.attributes).map(([key, value]) => (
        <div key={key} className={classes.attribute}>
          <span className="muted">{key}</span> {value}
        </div>
      ))}
    </div>
  );
}

const firstLine = (said: string) => said.split("\n", 1)[0] ?? "";

const offset = (ms: number) => (ms < 0 ? `−${text(duration(-ms))}` : `+${text(duration(ms))}`);
