import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";

import { useWords } from "../i18n";

/** Copies `text`; `what` names it for those who do not see the button. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const { t } = useWords();
  const clipboard = useClipboard({ timeout: 1500 });
  const label = clipboard.copied ? t("copy.done") : t("copy", { what });
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="sm"
      onClick={() => clipboard.copy(text)}
      aria-label={label}
      title={label}
    >
      {clipboard.copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
    </ActionIcon>
  );
}
