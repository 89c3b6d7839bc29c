import { ActionIcon } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { appsQuery } from "../../api/queries";
import { namesQuery, statisticsApi } from "../../api/statistics";
import type { NameRule } from "../../api/statisticsTypes";
import { ago, moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import classes from "./NamesPage.module.css";
import { RuleForm } from "./RuleForm";

const route = getRouteApi("/in/apps/$app/names");

/** What services and endpoints of an app are shown as; rules are made, tried out and taken back here. */
export default function NamesPage() {
  const { t } = useWords();
  const { app } = route.useParams();
  const { rule } = route.useSearch();
  const navigate = route.useNavigate();
  const mayChange = useMayChange();
  const rules = useQuery(namesQuery(app));
  const apps = useQuery(appsQuery);
  const appName = (wanted: string) => apps.data?.find(({ id }) => id === wanted)?.name ?? wanted;
  const choose = (id: string | undefined) => navigate({ search: (before) => ({ ...before, rule: id }), replace: true });
  return (
    <Page
      title={`${t("names.title")} ${appName(app)}`}
      heading={
        <Breadcrumb
          parent={
            <Link to="/statistics" search={{ app }}>
              {appName(app)}
            </Link>
          }
          name={t("names.title")}
        />
      }
      tools={
        <>
          <p className={classes.note}>{t("names.intro")}</p>
          <Link to="/apps/$app/settings" params={{ app }} className="link">
            {t("statistics.settings")}
          </Link>
        </>
      }
    >
      <Loaded query={rules} skeleton={<TableSkeleton />}>
        {(all) => {
          const chosen = all.find(({ id }) => id === rule);
          return (
            <>
              <Rules app={app} rules={all} appName={appName} onChange={mayChange ? choose : undefined} />
              {mayChange && (
                <RuleForm key={chosen?.id ?? "new"} app={app} rule={chosen} onDone={() => choose(undefined)} />
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

interface RulesProps {
  app: string;
  rules: readonly NameRule[];
  appName: (id: string) => string;
  /** Undefined for those who may look alone. */
  onChange: ((rule: string) => void) | undefined;
}

function Rules({ app, rules, appName, onChange }: RulesProps) {
  const { t, language } = useWords();
  const client = useQueryClient();
  const drop = useMutation({
    mutationFn: (id: string) => statisticsApi.dropName(app, id),
    onSettled: () => client.invalidateQueries({ queryKey: namesQuery(app).queryKey }),
  });
  const columns: Column<NameRule>[] = [
    { key: "kind", header: t("names.kind"), width: 130, cell: ({ kind }) => t(`names.${kind}`) },
    {
      key: "what",
      header: t("names.what"),
      cell: ({ pattern, service }) => <Name mono>{[service, pattern].filter(Boolean).join(": ")}</Name>,
    },
    {
      key: "becomes",
      header: t("names.becomes"),
      width: 240,
      cell: ({ kind, name, target_app }) =>
        kind === "hide" ? (
          <span className="muted">{t("names.nowhere")}</span>
        ) : (
          <Name mono={kind !== "move"}>{kind === "move" ? appName(target_app ?? "") : name}</Name>
        ),
    },
    {
      key: "changed",
      header: t("names.changed"),
      width: 190,
      cell: ({ changed_at, changed_by }) => (
        <span title={moment(changed_at)}>{`${ago(changed_at, language)}, ${changed_by}`}</span>
      ),
    },
    {
      key: "actions",
      header: "",
      width: 110,
      align: "right",
      cell: (rule) =>
        rule.app !== app ? (
          <span className="muted">{t("names.incoming")}</span>
        ) : onChange ? (
          <span className={classes.actions}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t("names.edit")}
              title={t("names.edit")}
              onClick={() => onChange(rule.id)}
            >
              <IconPencil size={15} />
            </ActionIcon>
            <ConfirmButton
              label={t("names.drop")}
              confirm={t("names.drop.sure")}
              onConfirm={() => drop.mutate(rule.id)}
            />
          </span>
        ) : null,
    },
  ];
  return (
    <Panel title={rules.length > 0 && t("names.rules", { count: rules.length })} flush testId={TEST_IDS.nameRules}>
      {rules.length === 0 ? (
        <Empty title={t("names.none")} />
      ) : (
        <DataTable
          label={t("names.title")}
          columns={columns}
          rows={rules}
          rowKey={({ id }) => id}
          onOpen={onChange && ((rule) => rule.app === app && onChange(rule.id))}
        />
      )}
      <Refused error={drop.error} />
    </Panel>
  );
}
