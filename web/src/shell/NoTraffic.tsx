import { Button } from "@mantine/core";

import { runCommand } from "../domain/commands";
import { useWords } from "../i18n";
import { Command } from "../parts/Command";
import { Empty } from "../parts/Empty";
import { useConnect } from "./connect";

/** Nothing has been sent in this time: how to start sending. */
export function NoTraffic({ title }: { title: string }) {
  const { t } = useWords();
  const connect = useConnect();
  return (
    <Empty title={title}>
      <p style={{ margin: "0 0 12px" }}>{t("overview.empty.hint")}</p>
      <Command>{runCommand(window.location.origin)}</Command>
      <Button size="xs" mt={14} onClick={connect.open}>
        {t("connect.title")}
      </Button>
    </Empty>
  );
}
