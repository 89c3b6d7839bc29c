import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { appsQuery } from "../../api/queries";
import { type Token, tokensApi, tokensQuery } from "../../api/tokens";
import { ago, moment } from "../../domain/format";
import { useWords } from "../../i18n";
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
import { TokenForm } from "./TokenForm";

/** What programs ask the API with: all of them, and a new one. For admins. */
export default function TokensPage() {
  const { t } = useWords();
  const isAdmin = useMayChange();
  const tokens = useQuery({ ...tokensQuery, enabled: isAdmin });
  return (
    <Page title={t("tokens.title")}>
      {isAdmin ? (
        <>
          <TokenForm />
          <Loaded query={tokens} skeleton={<TableSkeleton />}>
            {(all) => <Tokens tokens={all} />}
          </Loaded>
        </>
      ) : (
        <Empty title={t("tokens.adminsOnly")} />
      )}
    </Page>
  );
}

function Tokens({ tokens }: { tokens: readonly Token[] }) {
  const { t, language } = useWords();
  const client = useQueryClient();
  const apps = useQuery(appsQuery);
  const revoke = useMutation({
    mutationFn: tokensApi.revoke,
    onSettled: () => client.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  const appName = (id: string) => apps.data?.find((app) => app.id === id)?.name ?? id;
  const columns: Column<Token>[] = [
    { key: "name", header: t("name"), cell: ({ name }) => <Name>{name}</Name> },
    { key: "scope", header: t("tokens.scope"), width: 100, cell: ({ scope }) => t(`tokens.scope.${scope}`) },
    {
      key: "apps",
      header: t("tokens.apps"),
      width: 220,
      cell: ({ apps: seen }) => (seen ? <Name>{seen.map(appName).join(", ")}</Name> : t("tokens.apps.all")),
    },
    {
      key: "created",
      header: t("tokens.created"),
      width: 140,
      phoneLast: true,
      cell: ({ created_at }) => <span title={moment(created_at)}>{ago(created_at, language)}</span>,
    },
    {
      key: "actions",
      header: "",
      width: 110,
      align: "right",
      cell: ({ id }) => (
        <ConfirmButton
          label={t("tokens.revoke")}
          confirm={t("tokens.revoke.sure")}
          onConfirm={() => revoke.mutate(id)}
        />
      ),
    },
  ];
  return (
    <Panel title={tokens.length > 0 && t("tokens.count", { count: tokens.length })} flush testId={TEST_IDS.tokensTable}>
      {tokens.length === 0 ? (
        <Empty title={t("tokens.none")} />
      ) : (
        <DataTable label={t("tokens.title")} columns={columns} rows={tokens} rowKey={({ id }) => id} />
      )}
      <Refused error={revoke.error} />
    </Panel>
  );
}
