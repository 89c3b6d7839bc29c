import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { appsQuery, connectHintsQuery, connectPortsQuery } from "../../api/queries";
import type { NewApp } from "../../api/types";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { AppChoice } from "./AppChoice";
import { Arrivals } from "./Arrivals";
import classes from "./ConnectPage.module.css";
import { Hints } from "./Hints";
import { RecipeSteps } from "./RecipeSteps";
import { GROUPS, NOBODY, RECIPES } from "./recipes";

const route = getRouteApi("/in/connect");

/** From nothing to the first data: an app, the lines to paste, and whether anything came. */
export default function ConnectPage() {
  const { t } = useWords();
  const { app, kind: asked } = route.useSearch();
  const kind = GROUPS.find((group) => group === asked) ?? GROUPS[0];
  const navigate = route.useNavigate();
  const ports = useQuery(connectPortsQuery);
  const hints = useQuery(connectHintsQuery);
  const apps = useQuery(appsQuery);
  const [made, setMade] = useState<NewApp | null>(null);
  const [opened] = useState(() => Date.now());
  const change = (next: { app?: string; kind?: string }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const credentials =
    made && made.id === app
      ? { app: made.id, token: made.token, secret: made.secret || NOBODY.secret }
      : { ...NOBODY, app: app ?? NOBODY.app };
  const appNames = useMemo(() => new Map((apps.data ?? []).map(({ id, name }) => [id, name])), [apps.data]);
  return (
    <Page title={t("connect.title")}>
      <div className={classes.page}>
        <Panel title={t("connect.step.app")}>
          <AppChoice app={app} onChoose={(id) => change({ app: id })} made={made} onMade={setMade} />
        </Panel>
        <Panel title={t("connect.step.lines")}>
          <Loaded query={ports} skeleton={<TableSkeleton />}>
            {(open) => (
              <Tabs value={kind} onChange={(group) => change({ kind: group ?? undefined })} keepMounted={false}>
                <Tabs.List className={classes.tabs}>
                  {GROUPS.map((group) => (
                    <Tabs.Tab key={group} value={group}>
                      {t(`connect.group.${group}` as Key)}
                    </Tabs.Tab>
                  ))}
                </Tabs.List>
                {GROUPS.map((group) => (
                  <Tabs.Panel key={group} value={group} pt="sm">
                    {RECIPES.filter((recipe) => recipe.group === group).map((recipe) => (
                      <RecipeSteps key={recipe.id} recipe={recipe} ports={open} credentials={credentials} />
                    ))}
                  </Tabs.Panel>
                ))}
              </Tabs>
            )}
          </Loaded>
        </Panel>
        <Panel title={t("connect.step.data")}>
          {app ? <Arrivals app={app} since={opened} /> : <p className="muted">{t("connect.waiting.app")}</p>}
        </Panel>
        <Panel title={t("connect.hints")}>
          <Loaded query={hints} skeleton={<TableSkeleton />}>
            {(all) =>
              all.length === 0 ? <Empty title={t("connect.hints.none")} /> : <Hints hints={all} appNames={appNames} />
            }
          </Loaded>
        </Panel>
      </div>
    </Page>
  );
}
