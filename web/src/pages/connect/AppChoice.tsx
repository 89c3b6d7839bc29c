import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api } from "../../api/endpoints";
import { appsQuery } from "../../api/queries";
import type { NewApp } from "../../api/types";
import { useWords } from "../../i18n";
import { CopyButton } from "../../parts/CopyButton";
import { Failure } from "../../parts/Failure";
import { TEST_IDS } from "../../testIds";
import classes from "./ConnectPage.module.css";

interface Props {
  /** Id of the chosen app. */
  app: string | undefined;
  onChoose: (app: string) => void;
  made: NewApp | null;
  onMade: (made: NewApp) => void;
}

/** Which app the data shall belong to: one there is, with a new token, or a new one. */
export function AppChoice({ app, onChoose, made, onMade }: Props) {
  const { t } = useWords();
  const queryClient = useQueryClient();
  const apps = useQuery(appsQuery);
  const [name, setName] = useState("");
  const done = (created: NewApp) => {
    onMade(created);
    onChoose(created.id);
    setName("");
  };
  const create = useMutation({
    mutationFn: api.createApp,
    onSuccess: async (created) => {
      await queryClient.invalidateQueries({ queryKey: appsQuery.queryKey });
      done(created);
    },
  });
  const renew = useMutation({ mutationFn: api.newToken, onSuccess: done });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) create.mutate(name.trim());
  };
  const error = create.error ?? renew.error ?? apps.error;
  return (
    <div className={classes.app}>
      <p className="muted">{t("connect.app")}</p>
      <div className={classes.choices}>
        <div className={classes.choice}>
          <Select
            label={t("connect.existing")}
            placeholder={t("connect.choose")}
            data={(apps.data ?? []).map(({ id, name: label }) => ({ value: id, label }))}
            value={app ?? null}
            onChange={(id) => id && onChoose(id)}
            searchable
          />
          <Button variant="default" disabled={!app} loading={renew.isPending} onClick={() => app && renew.mutate(app)}>
            {t("connect.newToken")}
          </Button>
        </div>
        <form className={classes.choice} onSubmit={submit}>
          <TextInput
            label={t("connect.name")}
            placeholder="shop"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
            {t("connect.create")}
          </Button>
        </form>
      </div>
      {error && <Failure error={error} />}
      {made && made.id === app && (
        <div className={classes.credentials} data-testid={TEST_IDS.connectCredentials}>
          <p>{t("connect.once")}</p>
          <dl>
            <Credential label={t("connect.id")} value={made.id} />
            <Credential label={t("connect.token")} value={made.token} />
            {made.secret && <Credential label={t("connect.secret")} value={made.secret} />}
          </dl>
        </div>
      )}
    </div>
  );
}

function Credential({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="mono">
        <span>{value}</span>
        <CopyButton text={value} what={label} />
      </dd>
    </div>
  );
}
