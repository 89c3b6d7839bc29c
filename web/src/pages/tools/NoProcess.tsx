import { agentCommand, runCommand } from "../../domain/commands";
import { useWords } from "../../i18n";
import { Command } from "../../parts/Command";
import { Empty } from "../../parts/Empty";
import { PolicyHint } from "../../parts/PolicyHint";
import classes from "./ToolsPage.module.css";

/** Nothing is connected: what a host needs before a tool can reach its processes. */
export function NoProcess() {
  const { t } = useWords();
  return (
    <Empty title={t("tools.empty")}>
      {t("tools.empty.hint")}
      <div className={classes.steps}>
        <p>{t("tools.empty.agent")}</p>
        <Command>{agentCommand(window.location.origin)}</Command>
        <p>{t("tools.empty.run")}</p>
        <Command>{runCommand(window.location.origin)}</Command>
        <p>{t("tools.empty.policy")}</p>
        <PolicyHint />
      </div>
    </Empty>
  );
}
