import { useWords } from "../i18n";
import classes from "./Command.module.css";
import { CopyButton } from "./CopyButton";

/** Something to paste into a terminal. */
export function Command({ children }: { children: string }) {
  const { t } = useWords();
  return (
    <div className={classes.command}>
      <pre>{children}</pre>
      <CopyButton text={children} what={t("copy.command")} />
    </div>
  );
}
