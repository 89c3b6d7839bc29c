import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";

import { api } from "../../api/endpoints";
import { ApiError, setCsrfToken } from "../../api/http";
import { sessionQuery } from "../../api/queries";
import { useWords } from "../../i18n";
import { Logo } from "../../shell/Logo";
import { LanguageMenu, ThemeMenu } from "../../shell/Preferences";
import { TEST_IDS } from "../../testIds";
import classes from "./LoginPage.module.css";

const route = getRouteApi("/login");

export default function LoginPage() {
  const { t } = useWords();
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => {
    document.title = `${t("login.title")} · Sonde`;
  }, [t]);

  const logIn = useMutation({
    mutationFn: () => api.logIn(user, password),
    onSuccess: (session) => {
      setCsrfToken(session.csrf);
      queryClient.setQueryData(sessionQuery.queryKey, session);
      router.history.push(ownAddress(next));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    logIn.mutate();
  };
  return (
    <main className={classes.page}>
      <form className={classes.form} onSubmit={submit} data-testid={TEST_IDS.loginForm}>
        <h1 className={classes.brand}>
          <Logo size={26} />
        </h1>
        <Stack gap="sm">
          <TextInput
            label={t("login.user")}
            name="user"
            autoComplete="username"
            autoFocus
            required
            withAsterisk={false}
            value={user}
            onChange={(event) => setUser(event.currentTarget.value)}
          />
          <PasswordInput
            label={t("login.password")}
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {logIn.error && (
            <p className={classes.error} role="alert" data-testid={TEST_IDS.loginError}>
              {wrongLogin(logIn.error) ? t("login.wrong") : logIn.error.message}
            </p>
          )}
          <Button type="submit" loading={logIn.isPending} mt={4}>
            {t("login.submit")}
          </Button>
        </Stack>
        <p className={classes.hint}>{t("login.hint")}</p>
      </form>
      <div className={classes.preferences}>
        <ThemeMenu />
        <LanguageMenu />
      </div>
    </main>
  );
}

const wrongLogin = (error: Error) => error instanceof ApiError && error.status === 401;

/** Where to go after the login: a page of ours, never an address that somebody put into the link. */
function ownAddress(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}
