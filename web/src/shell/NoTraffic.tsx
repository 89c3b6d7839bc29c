import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { runCommand } from "../domain/commands";
import { useWords } from "../i18n";
import { Command } from "../parts/Command";
import { Empty } from "../parts/Empty";

/** Nothing has been sent in this time: how to start sending. */
export function NoTraffic({ title }: { title: string }) {
  const { t } = useWords();
  return (
    <Empty title={title}>
      <p style={{ margin: "0 0 12px" }}>{t("overview.empty.hint")}</p>
      <Command>{runCommand(window.location.origin)}</Command>
      <Button size="xs" mt={14} component={Link} to="/connect">
        {t("connect.title")}
      </Button>
    </Empty>
  );
}
