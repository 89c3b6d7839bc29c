import { useMemo, useState } from "react";

import { type Translate, useWords } from "../../i18n";
import { en, type Key } from "../../i18n/en";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Name } from "../Name";
import { Panel } from "../Panel";
import classes from "./SummaryView.module.css";
import { lineOf, quantityOf, type Row, type SummaryTable, summaryOf, titleOf } from "./summary";

interface Props {
  tool: string;
  summary: Row;
  /** Names of lists and figures that are not shown; `name.` is all within. */
  leaveOut?: readonly string[];
}

const NOTHING_LEFT_OUT: readonly string[] = [];

/** What a tool says of its run: its figures, then its lists as tables. */
export function SummaryView({ tool, summary, leaveOut = NOTHING_LEFT_OUT }: Props) {
  const { t } = useWords();
  const { values, tables } = useMemo(() => {
    const whole = summaryOf(summary);
    const isWanted = (name: string) =>
      !leaveOut.some((out) => (out.endsWith(".") ? name.startsWith(out) : name === out));
    return {
      values: whole.values.filter(([name]) => isWanted(name)),
      tables: whole.tables.filter(({ name }) => isWanted(name)),
    };
  }, [summary, leaveOut]);
  return (
    <>
      {values.length > 0 && (
        <Panel title={t("job.summary")} testId={TEST_IDS.jobSummary}>
          <dl className={classes.values}>
            {values.map(([name, value]) => (
              <div key={name}>
                <dt>{fieldName(t, tool, name)}</dt>
                <dd>{typeof value === "number" ? <Amount of={quantityOf(name, value)} /> : lineOf(name, value)}</dd>
              </div>
            ))}
          </dl>
        </Panel>
      )}
      {tables.map((table) => (
        <Rows key={table.name} tool={tool} table={table} />
      ))}
    </>
  );
}

/** What a field of a summary is called; what nobody has words for has its own name. */
function fieldName(t: Translate, tool: string, name: string): string {
  const key = [`field.${tool}.${name}`, `field.${name}`].find((one) => one in en);
  return key ? t(key as Key) : titleOf(name);
}

const NUMBER_PX = 130;
const TEXT_PX = 260;

function Rows({ tool, table }: { tool: string; table: SummaryTable }) {
  const { t } = useWords();
  const [sort, setSort] = useState<string | undefined>(undefined);
  const rows = useMemo(() => table.rows.map((row, index) => ({ row, index })), [table]);
  const columns = useMemo(() => columnsOf(t, tool, table), [t, tool, table]);
  return (
    <Panel title={fieldName(t, tool, table.name)} flush>
      <DataTable
        label={fieldName(t, tool, table.name)}
        columns={columns}
        rows={rows}
        rowKey={({ index }) => String(index)}
        sort={sort}
        onSort={setSort}
        rowHeight={30}
        restWidth={TEXT_PX}
        maxHeight="56dvh"
      />
    </Panel>
  );
}

type Numbered = { row: Row; index: number };

function columnsOf(t: Translate, tool: string, { columns, rows }: SummaryTable): Column<Numbered>[] {
  const isNumber = (key: string) => rows.every((row) => row[key] === null || typeof (row[key] ?? 0) === "number");
  const longest = columns
    .filter((key) => !isNumber(key))
    .reduce<{ key?: string; letters: number }>(
      (most, key) => {
        const letters = rows.reduce((sum, row) => sum + Math.min(80, lineOf(key, row[key]).length), 0);
        return letters > most.letters ? { key, letters } : most;
      },
      { letters: -1 },
    ).key;
  return columns.map((key) => {
    if (isNumber(key)) {
      return {
        key,
        header: fieldName(t, tool, key),
        width: NUMBER_PX,
        align: "right",
        sortBy: ({ row }) => (row[key] as number | null) ?? null,
        cell: ({ row }) =>
          typeof row[key] === "number" ? <Amount of={quantityOf(key, row[key])} /> : lineOf(key, row[key]),
      };
    }
    return {
      key,
      header: fieldName(t, tool, key),
      ...(key === longest ? {} : { width: TEXT_PX }),
      sortBy: ({ row }) => lineOf(key, row[key]),
      cell: ({ row }) => <Name mono>{lineOf(key, row[key])}</Name>,
    };
  });
}
