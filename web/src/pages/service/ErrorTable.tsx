import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import type { ErrorGroup } from "../../api/types";
import { ago, count } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";

/** What went wrong, most frequent first, each with a trace to look at. */
export function ErrorTable({ errors }: { errors: readonly ErrorGroup[] }) {
  const { t, language } = useWords();
  const navigate = useNavigate();
  const columns = useMemo<Column<ErrorGroup>[]>(
    () => [
      {
        key: "type",
        header: t("error.type"),
        width: 190,
        cell: ({ type, trace_id }) => (
          <Link
            to="/traces/$traceId"
            params={{ traceId: trace_id }}
            preload={false}
            style={{ color: "var(--s-error)" }}
          >
            <Name>{type || t("error.untyped")}</Name>
          </Link>
        ),
      },
      { key: "message", header: t("error.message"), cell: ({ message }) => <Name>{message}</Name> },
      { key: "endpoint", header: t("endpoint"), width: 230, cell: ({ endpoint }) => <Name>{endpoint}</Name> },
      {
        key: "count",
        header: t("error.count"),
        width: 90,
        align: "right",
        cell: ({ count: times }) => <Amount of={count(times)} />,
      },
      {
        key: "seen",
        header: t("figure.lastSeen"),
        width: 116,
        align: "right",
        cell: ({ last_seen }) => <span className="muted">{ago(last_seen, language)}</span>,
      },
    ],
    [t, language],
  );
  return (
    <Panel title={t("figure.errors")} flush testId={TEST_IDS.serviceErrors}>
      {errors.length === 0 ? (
        <Empty title={t("error.none")} />
      ) : (
        <DataTable
          label={t("figure.errors")}
          columns={columns}
          rows={errors}
          rowKey={({ type, message, endpoint }) => `${type}\n${message}\n${endpoint}`}
          onOpen={({ trace_id }) => navigate({ to: "/traces/$traceId", params: { traceId: trace_id } })}
          maxHeight="320px"
          rowHeight={32}
          restWidth={260}
        />
      )}
    </Panel>
  );
}
