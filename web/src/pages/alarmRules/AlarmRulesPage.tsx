import { Button, Menu } from "@mantine/core";
import { IconDownload, IconPlus, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { exportRulesAddress, rulesQuery, templatesQuery } from "../../api/alarms";
import { appsQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { AlarmTabs } from "../../parts/alarms/AlarmTabs";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import { ImportDialog } from "./ImportDialog";
import { RuleTable } from "./RuleTable";

const route = getRouteApi("/in/alarms/rules");

/** All rules, and what to start a new one from. */
export default function AlarmRulesPage() {
  const { t, language } = useWords();
  const { q, sort, import: importing } = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMayChange();
  const rules = useQuery(rulesQuery);
  const apps = useQuery(appsQuery);
  const templates = useQuery(templatesQuery(language));
  const change = (next: { q?: string; sort?: string; import?: true }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  const exported = (apps.data ?? []).filter(({ id }) => rules.data?.some(({ app }) => app === id));
  return (
    <Page
      title={`${t("nav.alarms")} · ${t("alarms.tab.rules")}`}
      tools={
        <>
          <AlarmTabs />
          <SearchField
            label={t("alarms.rules.search")}
            value={q ?? ""}
            onChange={(words) => change({ q: words || undefined })}
          />
          {exported.length > 0 && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button size="xs" variant="default" ml="auto" leftSection={<IconDownload size={14} />}>
                  {t("alarms.rules.export")}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {exported.map(({ id, name }) => (
                  <Menu.Item key={id} component="a" href={exportRulesAddress(id)} download={`${name}-alarms.toml`}>
                    {name}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
          {mayChange && (
            <>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconUpload size={14} />}
                onClick={() => change({ import: true })}
                data-testid={TEST_IDS.rulesImport}
              >
                {t("alarms.rules.import")}
              </Button>
              <Menu position="bottom-end" width={340}>
                <Menu.Target>
                  <Button size="xs" leftSection={<IconPlus size={14} />} data-testid={TEST_IDS.ruleNew}>
                    {t("alarms.rules.new")}
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    onClick={() => navigate({ to: "/alarms/rules/$rule", params: { rule: "new" }, search: {} })}
                  >
                    {t("alarms.rules.own")}
                  </Menu.Item>
                  <Menu.Label>{t("alarms.rules.templates")}</Menu.Label>
                  {templates.data?.map(({ id, title, description }) => (
                    <Menu.Item
                      key={id}
                      onClick={() =>
                        navigate({ to: "/alarms/rules/$rule", params: { rule: "new" }, search: { template: id } })
                      }
                    >
                      {title}
                      <span className="muted" style={{ display: "block", fontSize: "0.75rem", whiteSpace: "normal" }}>
                        {description}
                      </span>
                    </Menu.Item>
                  ))}
                </Menu.Dropdown>
              </Menu>
            </>
          )}
        </>
      }
    >
      <Loaded query={rules} skeleton={<TableSkeleton />}>
        {(all) => {
          const shown = all.filter(({ rule }) => rule.name.toLowerCase().includes((q ?? "").toLowerCase()));
          return (
            <Panel flush testId={TEST_IDS.rulesTable}>
              {all.length === 0 ? (
                <Empty title={t("alarms.rules.none")}>
                  {t("alarms.rules.noneHint")}
                  <ul>
                    {templates.data?.map(({ id, title }) => (
                      <li key={id}>
                        <Link
                          to="/alarms/rules/$rule"
                          params={{ rule: "new" }}
                          search={{ template: id }}
                          className="link"
                        >
                          {title}
                        </Link>
                      </li>
                    ))}
                  </ul>
                </Empty>
              ) : shown.length === 0 ? (
                <Empty title={t("alarms.now.noMatch")} />
              ) : (
                <RuleTable rules={shown} apps={apps.data ?? []} sort={sort} onSort={(next) => change({ sort: next })} />
              )}
            </Panel>
          );
        }}
      </Loaded>
      {importing && apps.data && <ImportDialog apps={apps.data} onClose={() => change({ import: undefined })} />}
    </Page>
  );
}
