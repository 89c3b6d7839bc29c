import { AppShell, Burger } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { useWords } from "../i18n";
import { AlarmCount } from "../parts/alarms/AlarmCount";
import { TEST_IDS } from "../testIds";
import { HelpDialog } from "./HelpDialog";
import { Logo } from "./Logo";
import { HelpButton, LanguageMenu, ThemeMenu, UserMenu } from "./Preferences";
import { hasRange, PLACES } from "./places";
import { RangePicker } from "./RangePicker";
import classes from "./Shell.module.css";
import { useShortcuts } from "./useShortcuts";

/** The frame around every page: navigation, time range, preferences. */
export function Shell() {
  const { t } = useWords();
  const { pathname } = useLocation();
  const [navOpen, nav] = useDisclosure(false);
  const [helpOpen, help] = useDisclosure(false);
  useShortcuts(help.open);

  const left = useRef(pathname);
  useEffect(() => {
    if (left.current !== pathname) nav.close();
    left.current = pathname;
  }, [pathname, nav]);

  return (
    <>
      <a href="#content" className="skip-link">
        {t("skip")}
      </a>
      <AppShell
        layout="alt"
        header={{ height: 48 }}
        navbar={{ width: 196, breakpoint: "sm", collapsed: { mobile: !navOpen } }}
        padding={0}
        classNames={{ header: classes.header, navbar: classes.navbar, main: classes.main }}
      >
        <AppShell.Header>
          <Burger opened={navOpen} onClick={nav.toggle} hiddenFrom="sm" size="sm" aria-label={t("nav.label")} />
          <div id="page-title" className={classes.title} />
          {hasRange(pathname) && <RangePicker />}
        </AppShell.Header>
        <AppShell.Navbar aria-label={t("nav.label")}>
          <div className={classes.brand}>
            <Logo />
            <Burger opened={navOpen} onClick={nav.toggle} hiddenFrom="sm" size="sm" aria-label={t("close")} />
          </div>
          <div className={classes.links} data-testid={TEST_IDS.nav}>
            {PLACES.map(({ to, label, icon: Icon }) => (
              <Link
                key={to}
                to={to}
                className={classes.link}
                activeProps={{ "data-active": true, "aria-current": "page" }}
              >
                <Icon size={17} stroke={1.7} />
                {t(label)}
                {to === "/alarms" && <AlarmCount />}
              </Link>
            ))}
          </div>
          <div className={classes.preferences}>
            <UserMenu />
            <ThemeMenu />
            <LanguageMenu />
            <HelpButton onClick={help.open} />
          </div>
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1}>
          <Outlet />
        </AppShell.Main>
      </AppShell>
      <HelpDialog opened={helpOpen} onClose={help.close} />
    </>
  );
}
