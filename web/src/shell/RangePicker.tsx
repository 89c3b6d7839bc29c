import { ActionIcon, Button, Group, Menu, Popover, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { IconCalendarTime, IconChevronDown, IconRefresh } from "@tabler/icons-react";
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { moment } from "../domain/format";
import { betweenOf, type Range, REFRESHES_S, SPANS, type SpanName } from "../domain/range";
import { useWords } from "../i18n";
import { TEST_IDS } from "../testIds";
import { refreshesItself } from "./places";
import classes from "./RangePicker.module.css";
import { useRange } from "./useRange";

/** From when to when, and how often anew. */
export function RangePicker() {
  const { t } = useWords();
  const { range, setRange } = useRange();
  const [open, setOpen] = useState(false);
  const refresh = range.refresh_s;
  return (
    <Group gap={6} wrap="nowrap">
      <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus>
        <Popover.Target>
          <Button
            variant="default"
            size="xs"
            className={classes.button}
            leftSection={<IconCalendarTime size={14} className={classes.icon} />}
            rightSection={<IconChevronDown size={12} />}
            onClick={() => setOpen(!open)}
            data-testid={TEST_IDS.rangePicker}
            aria-label={t("range.label")}
          >
            <span className="ellipsis">
              {range.kind === "last"
                ? t(`range.${range.span}`)
                : `${moment(range.from, "minute")} – ${moment(range.to, "minute").slice(sameDay(range) ? 11 : 0)}`}
            </span>
          </Button>
        </Popover.Target>
        <Popover.Dropdown p="xs">
          <Stack gap={2}>
            {(Object.keys(SPANS) as SpanName[]).map((span) => (
              <UnstyledButton
                key={span}
                className={classes.span}
                data-active={(range.kind === "last" && range.span === span) || undefined}
                onClick={() => {
                  setRange({ range: span, refresh: range.kind === "last" ? refresh : undefined });
                  setOpen(false);
                }}
              >
                {t(`range.${span}`)}
              </UnstyledButton>
            ))}
            <FixedRange
              range={range}
              onChoose={(from, to) => {
                setRange({ from, to });
                setOpen(false);
              }}
            />
          </Stack>
        </Popover.Dropdown>
      </Popover>
      <RefreshControl
        range={range}
        onChoose={(seconds) => range.kind === "last" && setRange({ range: range.span, refresh: seconds })}
      />
    </Group>
  );
}

const sameDay = ({ from, to }: { from: number; to: number }) => moment(from).slice(0, 10) === moment(to).slice(0, 10);

function FixedRange({ range, onChoose }: { range: Range; onChoose: (from: number, to: number) => void }) {
  const { t } = useWords();
  const between = betweenOf(range);
  const [from, setFrom] = useState(inputTime(between.from));
  const [to, setTo] = useState(inputTime(between.to));
  const valid = new Date(from).getTime() < new Date(to).getTime();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (valid) onChoose(new Date(from).getTime(), new Date(to).getTime());
  };
  return (
    <form onSubmit={submit} className={classes.fixed}>
      <TextInput
        type="datetime-local"
        step={1}
        size="xs"
        label={t("range.from")}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        step={1}
        size="xs"
        label={t("range.to")}
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
        error={valid ? undefined : t("range.invalid")}
      />
      <Button type="submit" size="xs" fullWidth disabled={!valid}>
        {t("range.apply")}
      </Button>
    </form>
  );
}

/** As `datetime-local` wants it: local time without a zone. */
const inputTime = (time: number) => moment(time).slice(0, 19).replace(" ", "T");

function RefreshControl({ range, onChoose }: { range: Range; onChoose: (seconds: number) => void }) {
  const { t } = useWords();
  const queryClient = useQueryClient();
  const busy = useIsFetching() > 0;
  const { pathname } = useLocation();
  const label = range.refresh_s ? t("refresh.every", { seconds: range.refresh_s }) : t("refresh.off");
  return (
    <Group gap={0} wrap="nowrap">
      <ActionIcon
        variant="default"
        size={30}
        className={refreshesItself(pathname) ? classes.refresh : undefined}
        onClick={() => queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" })}
        aria-label={t("refresh.now")}
        title={t("refresh.now")}
      >
        <IconRefresh size={14} className={busy ? classes.busy : undefined} />
      </ActionIcon>
      {refreshesItself(pathname) && (
        <Menu position="bottom-end" shadow="md">
          <Menu.Target>
            <Button
              variant="default"
              size="xs"
              visibleFrom="sm"
              className={classes.every}
              disabled={range.kind === "fixed"}
              rightSection={<IconChevronDown size={12} />}
              aria-label={`${t("refresh.label")}: ${label}`}
            >
              {label}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {REFRESHES_S.map((seconds) => (
              <Menu.Item
                key={seconds}
                onClick={() => onChoose(seconds)}
                fw={seconds === range.refresh_s ? 600 : undefined}
              >
                {seconds ? t("refresh.every", { seconds }) : t("refresh.off")}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}
