import { useMemo } from "react";

import { count, percent, type Quantity, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { weightText } from "./amounts";
import { placeOf } from "./frames";
import type { ComparedRow, CostRow, GroupBy } from "./functions";
import { Place } from "./Place";
import classes from "./ProfileView.module.css";
import type { WeightUnit } from "./profile";

interface Props {
  rows: readonly (CostRow | ComparedRow)[];
  by: GroupBy;
  unit: WeightUnit;
  /** Weight of everything. */
  all: number;
  /** In a comparison, the weight of everything before. */
  beforeAll: number | null;
  words: string;
  sort: string;
  onSort: (sort: string) => void;
  onOpen?: (row: CostRow) => void;
}

/** Costs by function, file or line; in a comparison, how their shares moved. */
export function CostTable({ rows, by, unit, all, beforeAll, words, sort, onSort, onOpen }: Props) {
  const { t } = useWords();
  const shown = useMemo(() => found(rows, words), [rows, words]);
  const columns = useMemo<Column<CostRow | ComparedRow>[]>(() => {
    const most = { self: heaviest(rows, "self"), total: heaviest(rows, "total") };
    const cost = (key: "self" | "total"): Column<CostRow | ComparedRow> => ({
      key,
      header: t(`flame.${key}`),
      width: beforeAll === null ? 230 : 190,
      align: "right",
      sortBy: (row) => row[key],
      cell: (row) => <Cost weight={row[key]} all={all} most={most[key]} unit={unit} />,
    });
    const change = (key: "self" | "total"): Column<CostRow | ComparedRow> => ({
      key: `${key}Change`,
      header: t(`profile.change.${key}`),
      width: 130,
      align: "right",
      sortBy: (row) => Math.abs(shareChange(row, key, all, beforeAll)),
      cell: (row) => <ShareChange points={shareChange(row, key, all, beforeAll)} />,
    });
    return [
      ...(by === "function"
        ? [{ key: "name", header: t("profile.by.function"), sortBy: nameOf, cell: named } as const]
        : []),
      {
        key: "place",
        header: t("profile.place"),
        ...(by === "function" ? { width: 240, phoneLast: true } : {}),
        sortBy: ({ file, line }) => placeOf(file, line),
        cell: ({ file, line, name }) =>
          by === "function" || file ? <Place file={file} line={line} /> : <Name mono>{name}</Name>,
      },
      cost("self"),
      ...(beforeAll === null ? [] : [change("self")]),
      cost("total"),
      ...(beforeAll === null ? [] : [change("total")]),
      ...(rows.some(({ samples }) => samples > 0) ? [samplesColumn(t)] : []),
    ];
  }, [t, rows, by, unit, all, beforeAll]);
  if (shown.length === 0) return <Empty title={t("overview.noMatch", { words })} />;
  return (
    <DataTable
      label={t("profile.view.table")}
      testId={TEST_IDS.costTable}
      columns={columns}
      rows={shown}
      rowKey={({ key }) => key}
      sort={sort}
      onSort={onSort}
      onOpen={onOpen}
      rowHeight={30}
      restWidth={260}
      maxHeight="66dvh"
    />
  );
}

const samplesColumn = (t: Translate): Column<CostRow | ComparedRow> => ({
  key: "samples",
  header: t("flame.samples"),
  width: 100,
  align: "right",
  sortBy: ({ samples }) => samples,
  cell: ({ samples }) => <Amount of={count(samples)} />,
});

const nameOf = ({ name }: CostRow) => name;
const named = ({ name }: CostRow) => <Name mono>{name}</Name>;

function found(rows: Props["rows"], words: string): Props["rows"] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return rows;
  return rows.filter(({ name, file }) => wanted.every((word) => `${name}\n${file}`.toLowerCase().includes(word)));
}

/** In parts of everything. */
function shareChange(row: CostRow | ComparedRow, key: "self" | "total", all: number, beforeAll: number | null): number {
  if (!("before" in row) || !beforeAll || !all) return 0;
  return row[key] / all - row.before[key] / beforeAll;
}

function ShareChange({ points }: { points: number }) {
  const quiet = Math.abs(points) < 0.0005;
  const of: Quantity = {
    value: `${points > 0 ? "+" : points < 0 ? "−" : ""}${(Math.abs(points) * 100).toFixed(2)}`,
    unit: "pp",
  };
  return (
    <span style={quiet ? undefined : { color: points > 0 ? "var(--s-error)" : "var(--s-accent)" }}>
      <Amount of={of} />
    </span>
  );
}

const heaviest = (rows: Props["rows"], key: "self" | "total") =>
  rows.reduce((most, row) => Math.max(most, row[key]), 0);

interface CostProps {
  weight: number;
  all: number;
  /** The heaviest of the column: its bar is full. */
  most: number;
  unit: WeightUnit;
}

/** A bar, the weight, its share of everything. */
export function Cost({ weight, all, most, unit }: CostProps) {
  const share = all > 0 ? weight / all : 0;
  return (
    <div className={classes.cost}>
      <div className={classes.track}>
        <div className={classes.fill} style={{ width: `${most > 0 ? (weight / most) * 100 : 0}%` }} />
      </div>
      <Amount of={weightText(weight, unit)} unitWidth={unit === "count" ? undefined : 3} />
      <span className="muted">{text(percent(share))}</span>
    </div>
  );
}
