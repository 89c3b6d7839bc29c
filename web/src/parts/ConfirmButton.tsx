import { ActionIcon, Button } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useEffect, useState } from "react";

interface Props {
  label: string;
  /** What the second click says. */
  confirm: string;
  onConfirm: () => void;
}

const FORGOTTEN_MS = 4000;

/** A click asks, a second one soon after does it. */
export function ConfirmButton({ label, confirm, onConfirm }: Props) {
  const [asks, setAsks] = useState(false);
  useEffect(() => {
    if (!asks) return;
    const forgotten = setTimeout(() => setAsks(false), FORGOTTEN_MS);
    return () => clearTimeout(forgotten);
  }, [asks]);
  if (!asks) {
    return (
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={label}
        title={label}
        onClick={() => setAsks(true)}
      >
        <IconTrash size={15} />
      </ActionIcon>
    );
  }
  return (
    <Button
      size="compact-xs"
      color="red"
      autoFocus
      onBlur={() => setAsks(false)}
      onClick={() => {
        setAsks(false);
        onConfirm();
      }}
    >
      {confirm}
    </Button>
  );
}
