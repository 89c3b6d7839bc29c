import { OWN_POLICY_PATH, POLICY, POLICY_PATH } from "../domain/tools";
import { useWords } from "../i18n";
import { Command } from "./Command";

/** The file that lets tools run on a node. */
export function PolicyHint() {
  const { t } = useWords();
  return (
    <>
      <p style={{ margin: "4px 0 6px" }}>
        {t("tools.policy", { path: POLICY_PATH, own: OWN_POLICY_PATH })} {t("tools.policy.example")}
      </p>
      <Command>{POLICY}</Command>
    </>
  );
}
