import { Button, Checkbox, FileButton, Group, Modal, Select, Stack, Textarea } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { alarmsApi } from "../../api/alarms";
import type { AlarmImport } from "../../api/alarmsTypes";
import type { App } from "../../api/types";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { Failed } from "../../parts/alarms/Failed";
import { TEST_IDS } from "../../testIds";

interface Props {
  apps: readonly App[];
  onClose: () => void;
}

/** Makes the rules of an app those of a file; first it says what would change. */
export function ImportDialog({ apps, onClose }: Props) {
  const { t } = useWords();
  const client = useQueryClient();
  const [app, setApp] = useState(apps[0]?.id ?? "");
  const [toml, setToml] = useState("");
  const [prune, setPrune] = useState(false);
  const work = useMutation({
    mutationFn: (dry_run: boolean) => alarmsApi.importRules({ app, toml, prune, dry_run }),
    onSuccess: ({ dry_run }) => (dry_run ? undefined : client.invalidateQueries({ queryKey: ["alarms"] })),
  });
  // what was said is of another file as soon as anything changes
  const say = (change: () => void) => {
    work.reset();
    change();
  };
  const read = useMutation({
    mutationFn: (file: File) => file.text(),
    onSuccess: (text) => say(() => setToml(text)),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("alarms.import.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack gap="sm">
        <Group gap="xs" align="end">
          <Select
            size="xs"
            label={t("alarms.app")}
            allowDeselect={false}
            value={app}
            onChange={(next) => say(() => setApp(next ?? app))}
            data={apps.map(({ id, name }) => ({ value: id, label: name }))}
          />
          <FileButton accept=".toml,application/toml,text/plain" onChange={(file) => file && read.mutate(file)}>
            {(props) => (
              <Button {...props} size="xs" variant="default" leftSection={<IconUpload size={14} />}>
                {t("alarms.import.file")}
              </Button>
            )}
          </FileButton>
        </Group>
        <Textarea
          aria-label="TOML"
          placeholder={'[[rule]]\nname = "…"'}
          autosize
          minRows={6}
          maxRows={16}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.75rem" } }}
          value={toml}
          onChange={(event) => {
            const { value } = event.currentTarget;
            say(() => setToml(value));
          }}
          data-testid={TEST_IDS.importToml}
        />
        <Checkbox
          size="xs"
          label={t("alarms.import.prune")}
          checked={prune}
          onChange={(event) => {
            const { checked } = event.currentTarget;
            say(() => setPrune(checked));
          }}
        />
        <Failed error={read.error ?? work.error} />
        {work.data && <Changes of={work.data} />}
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={onClose}>
            {t(work.data?.dry_run === false ? "close" : "alarms.cancel")}
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={!toml.trim()}
            loading={work.isPending}
            onClick={() => work.mutate(true)}
            data-testid={TEST_IDS.importCheck}
          >
            {t("alarms.import.check")}
          </Button>
          <Button
            size="xs"
            disabled={!work.data?.dry_run}
            loading={work.isPending}
            onClick={() => work.mutate(false)}
            data-testid={TEST_IDS.importDo}
          >
            {t("alarms.rules.import")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Changes({ of }: { of: AlarmImport }) {
  const { t } = useWords();
  const rows: [Key, string[]][] = [
    ["alarms.import.added", of.added],
    ["alarms.import.changed", of.changed.map(({ name, fields }) => `${name} (${fields.join(", ")})`)],
    ["alarms.import.removed", of.removed],
    ["alarms.import.unchanged", of.unchanged],
  ];
  return (
    <div data-testid={TEST_IDS.importChanges}>
      {!of.dry_run && <b>{t("alarms.import.done")}</b>}
      {rows
        .filter(([, names]) => names.length > 0)
        .map(([key, names]) => (
          <div key={key}>
            <span className="muted">{t(key)}:</span> {names.join(", ")}
          </div>
        ))}
    </div>
  );
}
