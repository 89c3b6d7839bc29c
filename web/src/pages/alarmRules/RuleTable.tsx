import { Switch } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { alarmsApi } from "../../api/alarms";
import type { AlarmRule } from "../../api/alarmsTypes";
import type { App } from "../../api/types";
import { ago } from "../../domain/format";
import { useWords } from "../../i18n";
import { AlarmMark } from "../../parts/alarms/AlarmMark";
import classes from "../../parts/alarms/Alarms.module.css";
import { SEVERITY_ORDER } from "../../parts/alarms/blocks";
import { Failed } from "../../parts/alarms/Failed";
import { sentenceOf } from "../../parts/alarms/sentence";
import { type Column, DataTable } from "../../parts/DataTable";
import { useMayChange } from "../../shell/useMayChange";

interface Props {
  rules: readonly AlarmRule[];
  apps: readonly App[];
  sort: string | undefined;
  onSort: (sort: string) => void;
}

/** Rules with what they say, how they stand, and a switch. */
export function RuleTable({ rules, apps, sort = "name", onSort }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const client = useQueryClient();
  const enable = useMutation({
    mutationFn: ({ id, app, rule }: AlarmRule) => alarmsApi.changeRule(id, app, { ...rule, enabled: !rule.enabled }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["alarms"] }),
  });
  const appName = (id: string) => apps.find((app) => app.id === id)?.name ?? id;
  const columns: Column<AlarmRule>[] = [
    {
      key: "on",
      header: t("alarms.rules.on"),
      width: 70,
      cell: (row) => (
        <Switch
          size="xs"
          aria-label={`${t("alarms.rules.on")}: ${row.rule.name}`}
          checked={row.rule.enabled}
          disabled={!mayChange || enable.isPending}
          onClick={(event) => event.stopPropagation()}
          onChange={() => enable.mutate(row)}
        />
      ),
    },
    {
      key: "name",
      header: t("alarms.rule"),
      sortBy: ({ rule }) => rule.name,
      cell: ({ id, rule, problem }) => {
        const said = problem || sentenceOf(rule, t);
        return (
          <span className={classes.marked}>
            <AlarmMark severity={rule.severity} state={rule.enabled ? "ok" : "suppressed"} />
            <span className={classes.two}>
              <Link to="/alarms/rules/$rule" params={{ rule: id }} className="ellipsis" title={rule.name}>
                {rule.name}
              </Link>
              <span
                className={`ellipsis ${classes.second}`}
                style={problem ? { color: "var(--s-error)" } : undefined}
                title={said}
              >
                {said}
              </span>
            </span>
          </span>
        );
      },
    },
    {
      key: "severity",
      header: t("alarms.severity"),
      width: 100,
      sortBy: ({ rule }) => SEVERITY_ORDER[rule.severity],
      cell: ({ rule }) => t(`alarms.severity.${rule.severity}`),
    },
    {
      key: "firing",
      header: t("alarms.state.firing"),
      width: 90,
      align: "right",
      sortBy: ({ firing }) => firing,
      cell: ({ firing }) => (firing > 0 ? <b>{firing}</b> : <span className="muted">0</span>),
    },
    {
      key: "groups",
      header: t("alarms.rules.groups"),
      width: 90,
      align: "right",
      sortBy: ({ groups }) => groups,
      cell: ({ groups, groups_dropped }) => (
        <span title={groups_dropped ? t("alarms.rules.dropped", { count: groups_dropped }) : ""}>
          {groups}
          {groups_dropped > 0 && "+"}
        </span>
      ),
    },
    {
      key: "app",
      header: t("alarms.app"),
      width: 130,
      sortBy: ({ app }) => appName(app),
      cell: ({ app }) => appName(app),
    },
    {
      key: "changed",
      header: t("dashboards.changed"),
      width: 200,
      sortBy: ({ changed_at }) => changed_at,
      cell: ({ changed_at, changed_by }) => (
        <span className="ellipsis" title={changed_at}>{`${ago(changed_at, language)}, ${changed_by}`}</span>
      ),
    },
  ];
  return (
    <>
      <Failed error={enable.error} />
      <DataTable
        label={t("alarms.tab.rules")}
        columns={columns}
        rows={rules}
        rowKey={({ id }) => id}
        sort={sort}
        onSort={onSort}
        rowHeight={50}
        restWidth={280}
        onOpen={({ id }) => navigate({ to: "/alarms/rules/$rule", params: { rule: id } })}
      />
    </>
  );
}
