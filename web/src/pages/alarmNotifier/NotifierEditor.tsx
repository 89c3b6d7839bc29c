import { Button, Group, Stack } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { alarmsApi } from "../../api/alarms";
import type { AlarmNotifier, AlarmNotifierDocument } from "../../api/alarmsTypes";
import { busiestAppQuery } from "../../api/statistics";
import type { App } from "../../api/types";
import { duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Failed } from "../../parts/alarms/Failed";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Panel } from "../../parts/Panel";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import classes from "./NotifierEditor.module.css";
import { NotifierForm } from "./NotifierForm";

interface Props {
  apps: readonly App[];
  /** None: it is new. */
  kept: AlarmNotifier | null;
  start: AlarmNotifierDocument;
}

/** A notifier as a form, beside what it would say and what a test was answered. */
export function NotifierEditor({ apps, kept, start }: Props) {
  const { t } = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const mayChange = useMayChange();
  const [chosen, setApp] = useState(kept?.app);
  const busiest = useQuery({ ...busiestAppQuery, enabled: chosen === undefined });
  const app = chosen ?? busiest.data ?? apps[0]?.id ?? "";
  const [notifier, setNotifier] = useState(start);
  const refresh = () => client.invalidateQueries({ queryKey: ["alarms"] });
  const save = useMutation({
    mutationFn: () => (kept ? alarmsApi.changeNotifier(kept.id, app, notifier) : alarmsApi.addNotifier(app, notifier)),
    onSuccess: async ({ id }) => {
      await refresh();
      await navigate({ to: "/alarms/notifiers/$notifier", params: { notifier: id }, replace: true });
    },
  });
  const remove = useMutation({
    mutationFn: (id: string) => alarmsApi.removeNotifier(id),
    onSuccess: async () => {
      await navigate({ to: "/alarms/notifiers", search: {} });
      await refresh();
    },
  });
  const preview = useMutation({ mutationFn: () => alarmsApi.preview(app, notifier) });
  const test = useMutation({ mutationFn: (id: string) => alarmsApi.test(id), onSuccess: refresh });
  if (!app) return <Empty title={t("alarms.notifiers.none")} />;
  return (
    <div className={classes.columns}>
      <Panel title={t("alarms.edit.told")}>
        <Stack gap="sm">
          <NotifierForm
            apps={apps}
            app={app}
            onApp={kept ? undefined : setApp}
            notifier={notifier}
            onChange={setNotifier}
          />
          <Failed error={save.error ?? remove.error} />
          {mayChange && (
            <Group gap="xs" justify="flex-end">
              {kept && (
                <ConfirmButton
                  label={t("alarms.notifiers.delete")}
                  confirm={t("alarms.sure")}
                  onConfirm={() => remove.mutate(kept.id)}
                />
              )}
              <Button
                size="xs"
                loading={save.isPending}
                onClick={() => save.mutate()}
                data-testid={TEST_IDS.notifierSave}
              >
                {t("alarms.edit.save")}
              </Button>
            </Group>
          )}
        </Stack>
      </Panel>
      <Panel
        title={t("alarms.notifiers.preview")}
        aside={
          <Group gap="xs">
            <Button
              size="compact-xs"
              variant="default"
              loading={preview.isPending}
              onClick={() => preview.mutate()}
              data-testid={TEST_IDS.notifierPreview}
            >
              {t("alarms.notifiers.preview")}
            </Button>
            {mayChange && (
              <Button
                size="compact-xs"
                variant="default"
                disabled={kept === null || notifier !== start}
                title={kept === null || notifier !== start ? t("alarms.notifiers.testFirst") : ""}
                loading={test.isPending}
                onClick={() => kept && test.mutate(kept.id)}
                data-testid={TEST_IDS.notifierTest}
              >
                {t("alarms.notifiers.test")}
              </Button>
            )}
          </Group>
        }
      >
        <Failed error={preview.error ?? test.error} />
        {test.data && (
          <p role="status" data-testid={TEST_IDS.notifierAnswer} style={{ overflowWrap: "anywhere" }}>
            <HealthMark health={test.data.delivered ? "ok" : "error"} label="" />{" "}
            {t(test.data.delivered ? "alarms.notifiers.delivered" : "alarms.notifiers.notDelivered", {
              duration: text(duration(test.data.took_ms)),
            })}{" "}
            <span className="muted">{test.data.answer}</span>
          </p>
        )}
        {preview.data ? (
          <div data-testid={TEST_IDS.notifierShown}>
            <b>{preview.data.title}</b>
            <div className="muted">
              {preview.data.target} · {preview.data.media_type}
            </div>
            <pre className={classes.body}>{preview.data.body}</pre>
          </div>
        ) : (
          <span className="muted">{t("alarms.notifiers.noneHint")}</span>
        )}
      </Panel>
    </div>
  );
}
