import type { NamePreview, NamePreviewRow } from "../../api/statisticsTypes";
import { count, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";
import classes from "./NamesPage.module.css";

/** Which endpoints of the chosen time a rule would merge, the busiest of them. */
export function Preview({ found }: { found: NamePreview }) {
  const { t } = useWords();
  if (found.matched === 0) return <Empty title={t("names.preview.none")} />;
  const columns: Column<NamePreviewRow>[] = [
    { key: "endpoint", header: t("names.recorded"), cell: ({ endpoint }) => <Name mono>{endpoint}</Name> },
    { key: "service", header: t("service"), width: 140, cell: ({ service }) => <Name>{service}</Name> },
    { key: "name", header: t("names.becomes"), width: 220, cell: ({ name }) => <Name mono>{name}</Name> },
    {
      key: "requests",
      header: t("figure.requests"),
      width: 100,
      align: "right",
      cell: ({ requests }) => <Amount of={count(requests)} />,
    },
  ];
  return (
    <div data-testid={TEST_IDS.namePreview}>
      <p className={classes.note} style={{ padding: "12px 0 8px" }}>
        {t("names.preview.title", { count: found.matched, requests: text(count(found.requests)) })}
      </p>
      <DataTable
        label={t("names.preview")}
        columns={columns}
        rows={found.items}
        rowKey={({ service, endpoint }) => `${service}\n${endpoint}`}
        rowHeight={32}
        maxHeight="340px"
      />
    </div>
  );
}
