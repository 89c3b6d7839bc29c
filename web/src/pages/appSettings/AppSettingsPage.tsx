import { Button, NumberInput, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";

import { appsQuery } from "../../api/queries";
import { appSettingsQuery, statisticsApi } from "../../api/statistics";
import type { AppSettings } from "../../api/statisticsTypes";
import { ago, moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import classes from "./AppSettingsPage.module.css";
import { badFields, draftOf, isExact, isInOrder, LATE_S, MOST_MS, type SettingsDraft, wishOf } from "./draft";

const route = getRouteApi("/in/apps/$app/settings");

/** What the statistics of an app go by: its time zone, thresholds, and how late data may come. */
export default function AppSettingsPage() {
  const { t } = useWords();
  const { app } = route.useParams();
  const settings = useQuery(appSettingsQuery(app));
  const apps = useQuery(appsQuery);
  const name = apps.data?.find(({ id }) => id === app)?.name ?? app;
  return (
    <Page
      title={`${t("appSettings.title")} ${name}`}
      heading={
        <Breadcrumb
          parent={
            <Link to="/statistics" search={{ app }}>
              {name}
            </Link>
          }
          name={t("appSettings.title")}
        />
      }
      tools={
        <Link to="/apps/$app/names" params={{ app }} className="link">
          {t("statistics.names")}
        </Link>
      }
    >
      <Panel>
        <Loaded query={settings} skeleton={<TableSkeleton rows={6} />}>
          {(found) => <SettingsForm key={app} settings={found} />}
        </Loaded>
      </Panel>
    </Page>
  );
}

function SettingsForm({ settings }: { settings: AppSettings }) {
  const { t, language } = useWords();
  const mayChange = useMayChange();
  const client = useQueryClient();
  const [draft, setDraft] = useState<SettingsDraft>(() => draftOf(settings));
  const save = useMutation({
    mutationFn: () => statisticsApi.saySettings(settings.app, wishOf(draft)),
    onSuccess: (said) => {
      client.setQueryData(appSettingsQuery(settings.app).queryKey, said);
      setDraft(draftOf(said));
    },
  });
  const bad = badFields(draft);
  const inOrder = isInOrder(draft);
  const ready = mayChange && bad.size === 0 && inOrder;
  const change = (next: Partial<SettingsDraft>) => {
    save.reset();
    setDraft({ ...draft, ...next });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !save.isPending) save.mutate();
  };
  const number = (field: Exclude<keyof SettingsDraft, "time_zone">, unit: string, most: number) => ({
    size: "xs",
    hideControls: true,
    allowNegative: false,
    clampBehavior: "none" as const,
    readOnly: !mayChange,
    rightSectionWidth: 40,
    rightSection: <span className={classes.unit}>{unit}</span>,
    value: draft[field],
    onChange: (value: number | string) => change({ [field]: value }),
    error: bad.has(field) ? t("appSettings.number.bad", { most: most.toLocaleString("en-US") }) : undefined,
  });
  const exact = (...thresholds: number[]) =>
    isExact(settings.exact_ms, ...thresholds)
      ? undefined
      : t("appSettings.estimated", { values: nearest(settings.exact_ms, thresholds[0] ?? 0) });
  const apdex = draft.apdex_t_ms === "" ? undefined : exact(Number(draft.apdex_t_ms), 4 * Number(draft.apdex_t_ms));
  return (
    <form className={classes.form} onSubmit={submit} data-testid={TEST_IDS.appSettings}>
      <Select
        size="xs"
        searchable
        allowDeselect={false}
        readOnly={!mayChange}
        label={t("appSettings.zone")}
        description={t("appSettings.zone.hint")}
        data={zones(draft.time_zone)}
        limit={200}
        value={draft.time_zone}
        onChange={(time_zone) => time_zone && change({ time_zone })}
      />
      <NumberInput
        {...number("apdex_t_ms", "ms", MOST_MS / 4)}
        label={t("appSettings.apdex")}
        description={[t("appSettings.apdex.hint"), apdex].filter(Boolean).join(" ")}
      />
      <NumberInput
        {...number("normal_ms", "ms", MOST_MS)}
        label={t("appSettings.normal")}
        description={exact(Number(draft.normal_ms))}
      />
      <NumberInput
        {...number("slow_ms", "ms", MOST_MS)}
        label={t("appSettings.slow")}
        description={[t("appSettings.slow.hint"), exact(Number(draft.slow_ms))].filter(Boolean).join(" ")}
        {...(!inOrder && { error: t("appSettings.slow.bad") })}
      />
      <NumberInput
        {...number("timeout_ms", "ms", MOST_MS)}
        label={t("appSettings.timeout")}
        description={exact(Number(draft.timeout_ms))}
      />
      <NumberInput
        {...number("late_max_s", "s", LATE_S.most)}
        label={t("appSettings.late")}
        description={t("appSettings.late.hint")}
        {...(bad.has("late_max_s") && {
          error: t("appSettings.late.bad", { least: LATE_S.least, most: LATE_S.most.toLocaleString("en-US") }),
        })}
      />
      <p className={classes.note}>{t("appSettings.past")}</p>
      <Refused error={save.error} />
      {mayChange && (
        <div className={classes.buttons}>
          <Button type="submit" size="xs" disabled={!ready} loading={save.isPending}>
            {t("appSettings.save")}
          </Button>
          {save.isSuccess && <span role="status">{t("appSettings.saved")}</span>}
        </div>
      )}
      <p className={classes.note} title={settings.changed_at ? moment(settings.changed_at) : undefined}>
        {settings.changed_at
          ? t("appSettings.changed", { ago: ago(settings.changed_at, language), who: settings.changed_by ?? "" })
          : t("appSettings.untouched")}
      </p>
    </form>
  );
}

/** All that the browser knows, and the one that is set. */
const zones = (chosen: string) => [...new Set(["UTC", chosen, ...Intl.supportedValuesOf("timeZone")])];

/** The exact thresholds on both sides of one. */
function nearest(exact_ms: readonly number[], threshold: number): string {
  const below = exact_ms.filter((bound) => bound <= threshold).at(-1);
  const above = exact_ms.find((bound) => bound > threshold);
  return [below, above].filter((bound) => bound !== undefined).join(", ");
}
