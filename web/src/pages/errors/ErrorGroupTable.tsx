import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import type { ErrorRow } from "../../api/errorsTypes";
import { ago, count } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Name } from "../../parts/Name";
import { Sparkline } from "../../parts/Sparkline";
import { TEST_IDS } from "../../testIds";
import classes from "./ErrorGroupTable.module.css";
import { NewMark } from "./NewMark";

interface Props {
  groups: readonly ErrorRow[];
  service: string | undefined;
  sort: string;
  onSort: (sort: string) => void;
  foot: ReactNode;
}

/** A row for each group; it leads to the group's page, and from there to the traces. */
export function ErrorGroupTable({ groups, service, sort, onSort, foot }: Props) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<ErrorRow>[]>(
    () => [
      {
        key: "type",
        header: t("error.type"),
        cell: ({ id, type, place, message, new_since }) => (
          <div className={classes.error}>
            <div className={classes.head}>
              <Link to="/errors/$group" params={{ group: id }} search={{ service }} preload={false}>
                <Name>{type || t("errors.untyped")}</Name>
              </Link>
              {new_since && <NewMark since={new_since} />}
            </div>
            <div className={classes.more}>
              <Name>{[place, message].filter(Boolean).join(" · ")}</Name>
            </div>
          </div>
        ),
      },
      {
        key: "services",
        header: t("errors.where"),
        width: 170,
        phoneLast: true,
        cell: ({ services: [first, ...others] }) =>
          first && (
            <Name>
              {others.length ? t("slow.moreServices", { service: first.service, count: others.length }) : first.service}
            </Name>
          ),
      },
      {
        key: "trend",
        header: t("errors.trend"),
        width: 136,
        phoneLast: true,
        cell: ({ series }) => <Sparkline values={series} label={t("errors.trend")} colour="var(--s-error)" />,
      },
      {
        key: "times",
        header: t("errors.times"),
        width: 104,
        align: "right",
        sortBy: ({ times }) => times,
        cell: ({ times }) => <Amount of={count(times)} />,
      },
      {
        key: "first",
        header: t("errors.first"),
        width: 120,
        align: "right",
        // what is new is what was seen first last; the server chose by the asked time alone
        sortBy: ({ first_seen }) => new Date(first_seen).getTime(),
        cell: ({ first_seen }) => <span className="muted">{ago(first_seen, language)}</span>,
      },
      {
        key: "newest",
        header: t("errors.last"),
        width: 116,
        align: "right",
        sortBy: ({ last_seen }) => new Date(last_seen).getTime(),
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language, service],
  );
  return (
    <DataTable
      label={t("nav.errors")}
      testId={TEST_IDS.errorsTable}
      columns={columns}
      rows={groups}
      rowKey={({ id }) => id}
      sort={sort}
      onSort={onSort}
      onOpen={({ id }) => navigate({ to: "/errors/$group", params: { group: id }, search: { service } })}
      rowHeight={52}
      restWidth={300}
      foot={foot}
    />
  );
}
