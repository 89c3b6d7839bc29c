import { NumberInput, PasswordInput, Select, Switch, TagsInput, TextInput } from "@mantine/core";

import type { AlarmNotifierDocument, NotifierKind, SmtpSecurity, WebhookFormat } from "../../api/alarmsTypes";
import type { App } from "../../api/types";
import { LANGUAGES, useWords } from "../../i18n";
import { linesOf, pairsOf } from "../../parts/alarms/fields";
import { byKind, HAS_MENTIONS, HAS_SECRET, NOTIFIER_KINDS } from "../../parts/alarms/notifierFields";
import { TEST_IDS } from "../../testIds";
import classes from "./NotifierEditor.module.css";

const FORMATS: readonly WebhookFormat[] = ["sonde", "alertmanager"];
const SECURITIES: readonly SmtpSecurity[] = ["starttls", "tls", "none"];

interface Props {
  apps: readonly App[];
  app: string;
  /** None: it stays with its app. */
  onApp?: (app: string) => void;
  notifier: AlarmNotifierDocument;
  onChange: (notifier: AlarmNotifierDocument) => void;
}

/** The fields of the chosen kind. Secrets that are kept come masked, and stay unless they are written over. */
export function NotifierForm({ apps, app, onApp, notifier, onChange }: Props) {
  const { t } = useWords();
  const { kind } = notifier;
  const change = (part: Partial<AlarmNotifierDocument>) => onChange({ ...notifier, ...part });
  return (
    <div className={classes.fields}>
      <TextInput
        size="xs"
        label={t("name")}
        maxLength={100}
        value={notifier.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
        data-testid={TEST_IDS.notifierName}
      />
      <Select
        size="xs"
        label={t("kind")}
        allowDeselect={false}
        value={kind}
        onChange={(next) => next && onChange(byKind(notifier, next as NotifierKind))}
        data={NOTIFIER_KINDS.map((one) => ({ value: one, label: t(`alarms.notifiers.kind.${one}`) }))}
      />
      <Select
        size="xs"
        label={t("alarms.app")}
        allowDeselect={false}
        disabled={!onApp}
        value={app}
        onChange={(next) => next && onApp?.(next)}
        data={apps.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Select
        size="xs"
        label={t("alarms.notifiers.language")}
        allowDeselect={false}
        value={notifier.language}
        onChange={(next) => change({ language: next as "en" | "zh" })}
        data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      />
      <NumberInput
        size="xs"
        label={t("alarms.inSeconds", { what: t("alarms.notifiers.groupS") })}
        min={0}
        max={3600}
        allowDecimal={false}
        value={notifier.group_s}
        onChange={(next) => typeof next === "number" && change({ group_s: next })}
      />
      <Switch
        size="xs"
        mt={26}
        label={t("alarms.rules.on")}
        checked={notifier.enabled}
        onChange={(event) => change({ enabled: event.currentTarget.checked })}
      />
      {kind === "email" ? (
        <MailFields notifier={notifier} change={change} />
      ) : (
        <WebFields notifier={notifier} change={change} />
      )}
    </div>
  );
}

interface FieldsProps {
  notifier: AlarmNotifierDocument;
  change: (part: Partial<AlarmNotifierDocument>) => void;
}

function WebFields({ notifier, change }: FieldsProps) {
  const { t } = useWords();
  const { kind } = notifier;
  return (
    <>
      <TextInput
        size="xs"
        className={classes.wide}
        label={t("alarms.notifiers.url")}
        description={t("alarms.notifiers.secretHint")}
        placeholder="https://…"
        autoComplete="off"
        value={notifier.url}
        onChange={(event) => change({ url: event.currentTarget.value })}
        data-testid={TEST_IDS.notifierUrl}
      />
      {HAS_SECRET.includes(kind) && (
        <PasswordInput
          size="xs"
          label={t("alarms.notifiers.secret")}
          autoComplete="new-password"
          value={notifier.secret}
          onChange={(event) => change({ secret: event.currentTarget.value })}
        />
      )}
      {kind === "webhook" && (
        <>
          <Select
            size="xs"
            label={t("alarms.notifiers.format")}
            allowDeselect={false}
            value={notifier.format}
            onChange={(next) => change({ format: next as WebhookFormat })}
            data={[...FORMATS]}
          />
          <TagsInput
            size="xs"
            className={classes.wide}
            label={t("alarms.notifiers.headers")}
            placeholder={t("alarms.notifiers.headersHint")}
            splitChars={[]}
            value={linesOf(notifier.headers, ": ")}
            onChange={(lines) => change({ headers: pairsOf(lines, ":") })}
          />
        </>
      )}
      {HAS_MENTIONS.includes(kind) && (
        <TagsInput
          size="xs"
          label={t("alarms.notifiers.mentions")}
          value={notifier.mentions}
          onChange={(mentions) => change({ mentions })}
        />
      )}
    </>
  );
}

function MailFields({ notifier, change }: FieldsProps) {
  const { t } = useWords();
  const text = (label: string, name: "smtp_host" | "smtp_user" | "from_address") => (
    <TextInput
      size="xs"
      label={label}
      autoComplete="off"
      value={notifier[name]}
      onChange={(event) => change({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <>
      {text(t("alarms.notifiers.smtpHost"), "smtp_host")}
      <NumberInput
        size="xs"
        label={t("alarms.notifiers.smtpPort")}
        min={1}
        max={65_535}
        allowDecimal={false}
        value={notifier.smtp_port}
        onChange={(next) => typeof next === "number" && change({ smtp_port: next })}
      />
      <Select
        size="xs"
        label={t("alarms.notifiers.smtpSecurity")}
        allowDeselect={false}
        value={notifier.smtp_security}
        onChange={(next) => change({ smtp_security: next as SmtpSecurity })}
        data={SECURITIES.map((one) => ({ value: one, label: t(`alarms.notifiers.smtpSecurity.${one}`) }))}
      />
      {text(t("alarms.notifiers.smtpUser"), "smtp_user")}
      <PasswordInput
        size="xs"
        label={t("alarms.notifiers.smtpPassword")}
        autoComplete="new-password"
        value={notifier.smtp_password}
        onChange={(event) => change({ smtp_password: event.currentTarget.value })}
      />
      {text(t("alarms.notifiers.from"), "from_address")}
      <TagsInput
        size="xs"
        className={classes.wide}
        label={t("alarms.notifiers.to")}
        value={notifier.to_addresses}
        onChange={(to_addresses) => change({ to_addresses })}
      />
    </>
  );
}
