import { useState } from "react";

import type { DeployMark } from "../api/errorsTypes";
import { deployText } from "../domain/deploys";
import { moment } from "../domain/format";
import { useWords } from "../i18n";
import { TEST_IDS } from "../testIds";
import classes from "./MarkList.module.css";

const SHOWN = 4;

interface Props {
  /** The newest first. */
  marks: readonly DeployMark[];
  withService?: boolean;
}

/** What the marks on the charts mean, in words; nothing where there are none. */
export function MarkList({ marks, withService }: Props) {
  const { t } = useWords();
  const [all, setAll] = useState(false);
  if (marks.length === 0) return null;
  const shown = all ? marks : marks.slice(0, SHOWN);
  return (
    <div className={classes.marks} data-testid={TEST_IDS.markList}>
      <span className="muted">{t("marks.title")}</span>
      {shown.map((mark) => (
        <span key={`${mark.service} ${mark.time} ${mark.kind}`} className={classes.mark} data-kind={mark.kind}>
          <span className="muted">{moment(mark.time, "minute")}</span> {deployText(t, mark, withService)}
        </span>
      ))}
      {shown.length < marks.length && (
        <button type="button" className={classes.more} onClick={() => setAll(true)}>
          {t("marks.more", { count: marks.length - shown.length })}
        </button>
      )}
    </div>
  );
}
