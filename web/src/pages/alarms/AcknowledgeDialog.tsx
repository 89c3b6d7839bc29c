import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { alarmsApi } from "../../api/alarms";
import type { Alarm } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";
import { Failed } from "../../parts/alarms/Failed";
import { TEST_IDS } from "../../testIds";

interface Props {
  alarm: Alarm;
  onClose: () => void;
}

/** Somebody looks after it, and says why or how. */
export function AcknowledgeDialog({ alarm, onClose }: Props) {
  const { t } = useWords();
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const acknowledge = useMutation({
    mutationFn: () => alarmsApi.acknowledge(alarm.id ?? "", note.trim()),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["alarms"] });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!acknowledge.isPending) acknowledge.mutate();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("alarms.acknowledge.title", { rule: alarm.rule })}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          <span className="muted">{t("alarms.acknowledge.hint")}</span>
          <TextInput
            data-autofocus
            label={t("alarms.acknowledge.note")}
            maxLength={1000}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
          />
          <Failed error={acknowledge.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" size="xs" onClick={onClose}>
              {t("alarms.cancel")}
            </Button>
            <Button type="submit" size="xs" loading={acknowledge.isPending} data-testid={TEST_IDS.acknowledgeSave}>
              {t("alarms.acknowledge")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
