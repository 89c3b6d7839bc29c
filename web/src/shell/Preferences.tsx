import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import {
  IconDeviceDesktop,
  IconKey,
  IconKeyboard,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSun,
  IconUser,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { api } from "../api/endpoints";
import { sessionQuery } from "../api/queries";
import { LANGUAGES, type Language, useWords } from "../i18n";
import { TEST_IDS } from "../testIds";
import { useMayChange } from "./useMayChange";

const THEMES = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon } as const;
type ThemeName = keyof typeof THEMES;

export function ThemeMenu() {
  const { t } = useWords();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Current = THEMES[colorScheme];
  return (
    <Menu shadow="md" position="top-start">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t("theme")}
          title={t("theme")}
          data-testid={TEST_IDS.themeMenu}
        >
          <Current size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(THEMES) as ThemeName[]).map((name) => {
          const Icon = THEMES[name];
          return (
            <Menu.Item
              key={name}
              leftSection={<Icon size={14} />}
              onClick={() => setColorScheme(name)}
              fw={name === colorScheme ? 600 : undefined}
            >
              {t(`theme.${name}`)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

export function LanguageMenu() {
  const { t, language, setLanguage } = useWords();
  return (
    <Menu shadow="md" position="top-start">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t("language")}
          title={t("language")}
          data-testid={TEST_IDS.languageMenu}
        >
          <IconLanguage size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(LANGUAGES) as Language[]).map((name) => (
          <Menu.Item key={name} lang={name} onClick={() => setLanguage(name)} fw={name === language ? 600 : undefined}>
            {LANGUAGES[name]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function HelpButton({ onClick }: { onClick: () => void }) {
  const { t } = useWords();
  return (
    <ActionIcon variant="subtle" color="gray" onClick={onClick} aria-label={t("help.title")} title={t("help.title")}>
      <IconKeyboard size={16} />
    </ActionIcon>
  );
}

export function UserMenu() {
  const { t } = useWords();
  const mayChange = useMayChange();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const session = useQuery(sessionQuery);
  const logOut = useMutation({
    mutationFn: api.logOut,
    onSettled: async () => {
      await navigate({ to: "/login", search: {} });
      queryClient.clear();
    },
  });
  return (
    <Menu shadow="md" position="top-start" width={200}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t("user.menu")}
          title={t("user.menu")}
          data-testid={TEST_IDS.userMenu}
        >
          <IconUser size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.data?.user} · {session.data?.role}
        </Menu.Label>
        {mayChange && (
          <Menu.Item leftSection={<IconKey size={14} />} onClick={() => navigate({ to: "/tokens" })}>
            {t("tokens.title")}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconLogout size={14} />} onClick={() => logOut.mutate()} data-testid={TEST_IDS.logOut}>
          {t("user.logOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
