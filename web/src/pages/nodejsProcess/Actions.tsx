import { Button, NativeSelect } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";

import { isMoving, nodejsApi, nodejsFilesQuery } from "../../api/nodejs";
import type { NodejsFileKind, NodejsProcessName } from "../../api/nodejsTypes";
import { duration, text } from "../../domain/format";
import { DURATIONS_S, isRecording, MOMENTS, RECORDINGS } from "../../domain/nodejs";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import classes from "./NodejsProcessPage.module.css";

interface Props {
  name: NodejsProcessName;
  duration_s: number | undefined;
  onDuration: (duration_s: number) => void;
}

const USUAL_S = 60;

/** What can be made of the process: each becomes a file below. */
export function Actions({ name, duration_s = USUAL_S, onDuration }: Props) {
  const { t } = useWords();
  const queryClient = useQueryClient();
  const mayChange = useMayChange();
  const files = useInfiniteQuery(nodejsFilesQuery(name));
  const act = useMutation({
    mutationFn: (action: NodejsFileKind) =>
      nodejsApi.act(name, { action, ...(isRecording(action) ? { duration_s } : {}) }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["nodejs", "files"] }),
  });
  const busy = (files.data?.pages.flatMap(({ items }) => items) ?? []).filter(
    (file) => isMoving(file) && file.state === "creating",
  );
  const isBusy = (kind: NodejsFileKind) => busy.some((file) => file.kind === kind);
  const button = (kind: NodejsFileKind) => (
    <Button
      key={kind}
      size="xs"
      variant={isRecording(kind) ? "light" : "default"}
      title={t(`nodejs.kind.${kind}.hint`)}
      disabled={!mayChange || isBusy(kind)}
      loading={act.isPending && act.variables === kind}
      onClick={() => act.mutate(kind)}
    >
      {t(`nodejs.kind.${kind}`)}
    </Button>
  );
  const choices = [...new Set<number>([...DURATIONS_S, duration_s])].sort((a, b) => a - b);
  return (
    <Panel
      title={t("nodejs.actions")}
      testId={TEST_IDS.nodejsActions}
      aside={mayChange ? undefined : t("nodejs.readOnly")}
    >
      <div className={classes.actions}>
        {RECORDINGS.map(button)}
        <NativeSelect
          size="xs"
          w={110}
          aria-label={t("nodejs.duration")}
          title={t("nodejs.duration")}
          value={String(duration_s)}
          onChange={(event) => onDuration(Number(event.currentTarget.value))}
          data={choices.map((seconds) => ({
            value: String(seconds),
            label: text(duration(seconds * 1000))
              .replace(".00", "")
              .replace(".0 ", " "),
          }))}
        />
        <span className={classes.gap} />
        {MOMENTS.map(button)}
      </div>
      <Refused error={act.error} />
    </Panel>
  );
}
