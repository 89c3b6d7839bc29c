import { Button, MultiSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { appsQuery } from "../../api/queries";
import { SCOPES, type Scope, tokensApi, tokensQuery } from "../../api/tokens";
import { useWords } from "../../i18n";
import { CopyButton } from "../../parts/CopyButton";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { TEST_IDS } from "../../testIds";
import classes from "./TokensPage.module.css";

/** A new token, shown this once. One that reads may be for some apps alone. */
export function TokenForm() {
  const { t } = useWords();
  const client = useQueryClient();
  const apps = useQuery(appsQuery);
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Scope>("read");
  const [seen, setSeen] = useState<string[]>([]);
  const make = useMutation({
    mutationFn: () => tokensApi.make({ name, scope, apps: scope === "read" && seen.length > 0 ? seen : null }),
    onSuccess: async () => {
      setName("");
      await client.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name && !make.isPending) make.mutate();
  };
  return (
    <Panel title={t("tokens.new")} testId={TEST_IDS.tokenForm}>
      <form className={classes.form} onSubmit={submit}>
        <p className={classes.note}>{t("tokens.intro")}</p>
        <TextInput
          size="xs"
          label={t("name")}
          placeholder="grafana"
          maxLength={64}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <SegmentedControl
          size="xs"
          aria-label={t("tokens.scope")}
          value={scope}
          onChange={(next) => setScope(SCOPES.find((one) => one === next) ?? scope)}
          data={SCOPES.map((value) => ({ value, label: t(`tokens.scope.${value}`) }))}
        />
        <p className={classes.note}>{t(`tokens.scope.${scope}.hint`)}</p>
        {scope === "read" && (
          <MultiSelect
            size="xs"
            searchable
            clearable
            label={t("tokens.apps")}
            placeholder={seen.length === 0 ? t("tokens.apps.all") : undefined}
            data={(apps.data ?? []).map(({ id, name: label }) => ({ value: id, label }))}
            value={seen}
            onChange={setSeen}
          />
        )}
        <div>
          <Button type="submit" size="xs" disabled={!name} loading={make.isPending}>
            {t("tokens.make")}
          </Button>
        </div>
        <Refused error={make.error} />
        {make.data && (
          <div className={classes.made} data-testid={TEST_IDS.tokenMade} role="status">
            <span className={classes.note}>{t("tokens.once")}</span>
            <code>{make.data.token}</code>
            <CopyButton text={make.data.token} what={t("connect.token")} />
          </div>
        )}
      </form>
    </Panel>
  );
}
