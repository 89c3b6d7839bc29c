import { getRouteApi } from "@tanstack/react-router";

import type { NodejsFile } from "../../api/nodejsTypes";
import { bytes, percent, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Failure } from "../../parts/Failure";
import { Panel } from "../../parts/Panel";
import { SnapshotView } from "../../parts/snapshot/SnapshotView";
import { TEST_IDS } from "../../testIds";
import classes from "./NodejsFilePage.module.css";
import { useSnapshot } from "./useSnapshot";

const route = getRouteApi("/in/nodejs/files/$id");

/** What fills the heap, and who holds it. */
export function SnapshotFile({ file }: { file: NodejsFile }) {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { state, again } = useSnapshot(file);
  if (state.stage === "failed") return <Failure error={state.error} onRetry={again} />;
  if (state.stage === "ready") {
    return (
      <SnapshotView
        title={t("snapshot.constructors")}
        summary={state.summary}
        ask={state.ask}
        search={search}
        onSearch={(next) =>
          navigate({
            search: (known) => ({ ...known, ...next }),
            replace: !("object" in next || "fn" in next || "find" in next),
            resetScroll: false,
          })
        }
      />
    );
  }
  const words =
    state.stage === "fetching"
      ? t("snapshot.reading", {
          read: text(bytes(state.read_bytes)),
          size: text(bytes(file.parts[0]?.plain_bytes)),
        })
      : t("snapshot.building", { share: text(percent(state.share)) });
  return (
    <Panel testId={TEST_IDS.snapshotProgress}>
      <div className={classes.progress} aria-busy="true">
        <div
          className={classes.track}
          role="progressbar"
          aria-label={words}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(state.share * 100)}
        >
          <div className={classes.fill} style={{ width: `${state.share * 100}%` }} />
        </div>
        <span>{words}</span>
      </div>
    </Panel>
  );
}
