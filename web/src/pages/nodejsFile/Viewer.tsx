import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";

import { contentAddress } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { bytes, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { CpuProfileFile } from "./CpuProfileFile";
import { DiagFile } from "./DiagFile";
import { GcTraceFile } from "./GcTraceFile";
import { HeapProfileFile } from "./HeapProfileFile";
import classes from "./NodejsFilePage.module.css";
import { SnapshotFile } from "./SnapshotFile";

/** What is in a stored file, by its kind. */
export function Viewer({ file }: { file: NodejsFile }) {
  switch (file.kind) {
    case "cpuprofile":
      return <CpuProfileFile file={file} />;
    case "heapprofile":
      return <HeapProfileFile file={file} />;
    case "gcprofile":
      return <GcTraceFile file={file} />;
    case "heapsnapshot":
      return <SnapshotFile file={file} />;
    case "diag":
      return <DiagFile file={file} />;
    case "core":
      return <CoreFile file={file} />;
  }
}

/** For a debugger, not for a browser. */
function CoreFile({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  return (
    <Panel title={t("job.files")}>
      <p className={classes.text}>{t("nodejs.core.hint")}</p>
      <div className={classes.parts}>
        {file.parts.map(({ name, plain_bytes }, part) => (
          <Button
            key={name}
            component="a"
            href={contentAddress(file.id, part)}
            download={name}
            size="compact-sm"
            variant="default"
            leftSection={<IconDownload size={14} />}
          >
            {name} <span className="muted">&nbsp;{text(bytes(plain_bytes))}</span>
          </Button>
        ))}
      </div>
    </Panel>
  );
}
