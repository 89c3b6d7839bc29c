import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api } from "../api/endpoints";
import { runCommand } from "../domain/commands";
import { useWords } from "../i18n";
import { Command } from "../parts/Command";
import { Failure } from "../parts/Failure";

/** Makes an app and shows the command that starts a program under it. The token is shown this once. */
export function ConnectDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const create = useMutation({ mutationFn: api.createApp });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) create.mutate(name.trim());
  };
  const close = () => {
    onClose();
    create.reset();
    setName("");
  };
  const token = create.data?.token ?? "APP_TOKEN";
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("connect.title")}
      size="xl"
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack gap="sm">
        <Text size="sm">{t("connect.app")}</Text>
        <form onSubmit={submit}>
          <Group align="flex-end" gap="xs">
            <TextInput
              label={t("connect.name")}
              placeholder="shop"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              disabled={create.isSuccess}
              data-autofocus
            />
            <Button type="submit" loading={create.isPending} disabled={!name.trim() || create.isSuccess}>
              {t("connect.create")}
            </Button>
          </Group>
        </form>
        {create.error && <Failure error={create.error} />}
        {create.data && (
          <Text size="sm" c="var(--s-warn)">
            {t("connect.once")}
          </Text>
        )}
        <Text size="sm">{t("connect.run")}</Text>
        <Command>{runCommand(window.location.origin, create.data?.token)}</Command>
        <Text size="sm" c="dimmed">
          {t("connect.otel")}
        </Text>
        <Command>
          {[
            `OTEL_EXPORTER_OTLP_ENDPOINT=${window.location.origin}`,
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            `OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer ${token}"`,
          ].join("\n")}
        </Command>
      </Stack>
    </Modal>
  );
}
