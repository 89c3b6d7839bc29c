import type { NodejsFile } from "../../api/nodejsTypes";
import { duration, text } from "../../domain/format";
import { fileHealth, recordedShare } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { HealthMark } from "../HealthMark";
import { Name } from "../Name";
import { useClock } from "../useClock";
import classes from "./FileState.module.css";

/** What becomes of a file: in words, and while it is recorded as a bar. */
export function FileState({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  const now = useClock(file.running);
  const share = recordedShare(file, now);
  if (share !== null) {
    const left_ms = Math.max(0, new Date(file.ends_at ?? 0).getTime() - now);
    const words = t("nodejs.recording", { left: text(duration(Math.ceil(left_ms / 1000) * 1000)) });
    return (
      <div className={classes.recording} title={words}>
        <div
          className={classes.track}
          role="progressbar"
          aria-label={words}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
        >
          <div className={classes.fill} style={{ width: `${share * 100}%` }} />
        </div>
        <span className={classes.words}>{words}</span>
      </div>
    );
  }
  const words = t(`nodejs.state.${file.state}`);
  return (
    <span title={file.message || words}>
      <Name mark={<HealthMark health={fileHealth[file.state]} size={10} label={words} />}>
        {file.message ? `${words}: ${file.message}` : words}
      </Name>
    </span>
  );
}
