import type { Span } from "../../api/types";
import { duration, type Quantity } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../Amount";
import { HealthMark } from "../HealthMark";
import classes from "./Waterfall.module.css";

interface Props {
  span: Span;
  x: number;
  y: number;
  room: number;
}

const WIDTH_PX = 300;

/** What there is to know at a glance about the row under the pointer. */
export function Tooltip({ span, x, y, room }: Props) {
  const { t } = useWords();
  const left = Math.max(4, Math.min(x + 14, room - WIDTH_PX - 8));
  return (
    <div className={classes.tooltip} style={{ left, top: y, width: WIDTH_PX }} role="tooltip">
      <div className={classes.tooltipName}>
        {span.error && <HealthMark health="error" />} {span.name}
      </div>
      <div className="muted">
        {span.service} · {t(`kind.${span.kind}`)}
        {span.status_code > 0 && ` · ${span.status_code}`}
      </div>
      {span.status_message && <div className={classes.tooltipError}>{span.status_message}</div>}
      {span.statement && <div className={classes.tooltipStatement}>{span.statement}</div>}
      <dl className={classes.tooltipFigures}>
        <One label={t("span.duration")} of={duration(span.duration_ms)} />
        <One label={t("span.self")} of={duration(span.self_ms)} />
        <One label={t("span.start")} of={duration(span.offset_ms)} />
      </dl>
    </div>
  );
}

function One({ label, of }: { label: string; of: Quantity }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Amount of={of} />
      </dd>
    </div>
  );
}
