import { ActionIcon, Button, MultiSelect, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";

import { notifiersQuery, rulesQuery } from "../../api/alarms";
import type { AlarmQuietHours, AlarmRuleDocument, Day } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";
import { linesOf, pairsOf } from "../../parts/alarms/fields";
import classes from "./RuleEditor.module.css";
import { SecondsInput } from "./SecondsInput";

const DAYS: readonly Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MOST_HOURS = 10;

interface Props {
  app: string;
  rule: AlarmRuleDocument;
  onChange: (part: Partial<AlarmRuleDocument>) => void;
}

/** Who is told, and when not. */
export function ToldForm({ app, rule: { name, notify, remind_s, depends_on, quiet_hours, labels }, onChange }: Props) {
  const { t } = useWords();
  const notifiers = useQuery(notifiersQuery);
  const rules = useQuery(rulesQuery);
  const names = notifiers.data?.filter((one) => one.app === app).map(({ notifier }) => notifier.name) ?? [];
  const others =
    rules.data?.filter((one) => one.app === app && one.rule.name !== name).map(({ rule }) => rule.name) ?? [];
  const replace = (place: number, hours: AlarmQuietHours) =>
    onChange({ quiet_hours: quiet_hours.map((one, index) => (index === place ? hours : one)) });
  return (
    <Stack gap="xs">
      <div className={classes.fields}>
        <MultiSelect
          size="xs"
          label={t("alarms.notify")}
          data={[...new Set([...names, ...notify])]}
          value={notify}
          onChange={(next) => onChange({ notify: next })}
        />
        <Select
          size="xs"
          label={t("alarms.dependsOn")}
          clearable
          searchable
          data={[...new Set([...others, ...(depends_on ? [depends_on] : [])])]}
          value={depends_on || null}
          onChange={(next) => onChange({ depends_on: next ?? "" })}
        />
        <TagsInput
          size="xs"
          label={t("alarms.labels")}
          placeholder={t("alarms.labels.hint")}
          value={linesOf(labels)}
          onChange={(lines) => onChange({ labels: pairsOf(lines) })}
        />
        <SecondsInput
          label={t("alarms.remind")}
          value={remind_s}
          most={604_800}
          zero={t("alarms.remind.never")}
          onChange={(next) => onChange({ remind_s: next })}
        />
      </div>
      {quiet_hours.map((hours, place) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: quiet hours have no name
          key={place}
          className={classes.hours}
        >
          <MultiSelect
            size="xs"
            flex={1}
            miw={180}
            label={t("alarms.quietHours")}
            data={DAYS.map((day) => ({ value: day, label: t(`alarms.day.${day}`) }))}
            value={hours.days}
            onChange={(days) => replace(place, { ...hours, days: days as Day[] })}
          />
          <TextInput
            size="xs"
            type="time"
            label={t("range.from")}
            value={hours.start}
            onChange={(event) => replace(place, { ...hours, start: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            type="time"
            label={t("range.to")}
            value={hours.end}
            onChange={(event) => replace(place, { ...hours, end: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            w={150}
            label={t("alarms.quietHours.zone")}
            value={hours.time_zone}
            onChange={(event) => replace(place, { ...hours, time_zone: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t("alarms.quietHours.delete")}
            onClick={() => onChange({ quiet_hours: quiet_hours.filter((_, index) => index !== place) })}
          >
            <IconX size={14} />
          </ActionIcon>
        </div>
      ))}
      {quiet_hours.length < MOST_HOURS && (
        <Button
          size="compact-xs"
          variant="default"
          style={{ alignSelf: "start" }}
          leftSection={<IconPlus size={13} />}
          onClick={() =>
            onChange({
              quiet_hours: [
                ...quiet_hours,
                {
                  days: [...DAYS],
                  start: "22:00",
                  end: "06:00",
                  time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
                },
              ],
            })
          }
        >
          {t("alarms.quietHours.add")}
        </Button>
      )}
    </Stack>
  );
}
