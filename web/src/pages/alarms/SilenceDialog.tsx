import { Button, Group, Modal, Radio, Select, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { alarmsApi } from "../../api/alarms";
import type { Alarm } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";
import { groupText, lasting } from "../../parts/alarms/amounts";
import { Failed } from "../../parts/alarms/Failed";
import { TEST_IDS } from "../../testIds";

const LENGTHS_S = [1800, 3600, 14_400, 28_800, 86_400, 604_800];

interface Props {
  alarm: Alarm;
  onClose: () => void;
}

/** Nobody is told of an alarm, or of a whole rule, for a while. */
export function SilenceDialog({ alarm, onClose }: Props) {
  const { t } = useWords();
  const client = useQueryClient();
  const grouped = Object.keys(alarm.group).length > 0;
  const [scope, setScope] = useState(grouped ? "group" : "rule");
  const [length_s, setLength] = useState("3600");
  const [comment, setComment] = useState("");
  const silence = useMutation({
    mutationFn: () =>
      alarmsApi.silence({
        app: alarm.app,
        rule: alarm.rule,
        group: scope === "group" ? alarm.group : {},
        starts_at: null,
        ends_at: new Date(Date.now() + Number(length_s) * 1000).toISOString(),
        comment,
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["alarms"] });
      onClose();
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("alarms.silence.title", { rule: alarm.rule })}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack gap="sm">
        <span className="muted">{t("alarms.silence.hint")}</span>
        {grouped && (
          <Radio.Group value={scope} onChange={setScope}>
            <Stack gap={6}>
              <Radio value="group" label={t("alarms.silence.group", { group: groupText(alarm.group) })} />
              <Radio value="rule" label={t("alarms.silence.rule")} />
            </Stack>
          </Radio.Group>
        )}
        <Select
          label={t("alarms.silence.for")}
          allowDeselect={false}
          value={length_s}
          onChange={(next) => next && setLength(next)}
          data={LENGTHS_S.map((seconds) => ({ value: String(seconds), label: lasting(seconds) }))}
        />
        <TextInput
          label={t("alarms.silence.comment")}
          maxLength={1000}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <Failed error={silence.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" size="xs" onClick={onClose}>
            {t("alarms.cancel")}
          </Button>
          <Button
            size="xs"
            loading={silence.isPending}
            onClick={() => silence.mutate()}
            data-testid={TEST_IDS.silenceSave}
          >
            {t("alarms.silence")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
