import type { NodejsFile } from "../../api/nodejsTypes";
import { bytes, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import classes from "./NodejsFilePage.module.css";

/** The file is on its way. */
export function Fetching({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  const part = file.parts[0];
  return (
    <Panel>
      <p className={classes.text}>
        {t("job.loading", { name: part?.name ?? "", size: text(bytes(part?.plain_bytes)) })}
      </p>
    </Panel>
  );
}
