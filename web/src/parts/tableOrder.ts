/** The order of a table as its address has it: `p95` upwards, `-p95` downwards. */

export type SortKey = string | number | null;

export interface SortState {
  column: string;
  descending: boolean;
}

export function readSort(text: string): SortState {
  return text.startsWith("-") ? { column: text.slice(1), descending: true } : { column: text, descending: false };
}

export const writeSort = ({ column, descending }: SortState) => (descending ? `-${column}` : column);

/** Rows in order; what has no key stands last either way. Equal keys keep their order. */
export function sorted<Row>(rows: readonly Row[], keyOf: (row: Row) => SortKey, descending: boolean): Row[] {
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) return a.key === b.key ? 0 : a.key === null ? 1 : -1;
      if (typeof a.key === "number" && typeof b.key === "number") return sign * (a.key - b.key);
      return sign * collator.compare(String(a.key), String(b.key));
    })
    .map(({ row }) => row);
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
