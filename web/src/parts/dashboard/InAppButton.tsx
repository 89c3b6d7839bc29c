import { Button, type ButtonProps, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { appsQuery } from "../../api/queries";
import { useWords } from "../../i18n";

interface Props extends Pick<ButtonProps, "leftSection" | "loading" | "variant"> {
  children: ReactNode;
  /** Called with the id of an app. */
  onChoose: (app: string) => void;
  testId: string;
}

/** A button that does something in an app: in the only one at once, of several in the one that is chosen. */
export function InAppButton({ children, onChoose, testId, ...look }: Props) {
  const { t } = useWords();
  const apps = useQuery(appsQuery).data ?? [];
  const only = apps.length === 1 ? apps[0] : undefined;
  if (apps.length === 0) return null;
  if (only) {
    return (
      <Button size="xs" {...look} onClick={() => onChoose(only.id)} data-testid={testId}>
        {children}
      </Button>
    );
  }
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button size="xs" {...look} data-testid={testId}>
          {children}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={320} style={{ overflowY: "auto" }}>
        <Menu.Label>{t("dashboards.inApp")}</Menu.Label>
        {apps.map(({ id, name }) => (
          <Menu.Item key={id} onClick={() => onChoose(id)}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
