import { count, duration, type Quantity } from "../domain/format";
import { Amount } from "./Amount";
import type { Column } from "./DataTable";

interface Options<Row> extends Pick<Column<Row>, "width" | "phoneLast" | "firstDescending"> {
  /** The table can be sorted by it; else its order is what the server chose rows by. */
  sorts?: boolean;
}

type Figure<Row> = (row: Row) => number | null | undefined;

/** A column of figures; `unitWidth` as in Amount. */
export function figureColumn<Row>(
  key: string,
  header: string,
  of: Figure<Row>,
  format: (value: number | null | undefined) => Quantity,
  { unitWidth, sorts, ...more }: Options<Row> & { unitWidth?: number } = {},
): Column<Row> {
  return {
    key,
    header,
    width: 92,
    align: "right",
    ...(sorts && { sortBy: (row: Row) => of(row) ?? null }),
    cell: (row) => <Amount of={format(of(row))} unitWidth={unitWidth} />,
    ...more,
  };
}

export const countColumn = <Row,>(key: string, header: string, of: Figure<Row>, options?: Options<Row>) =>
  figureColumn(key, header, of, count, options);

/** Of milliseconds. */
export const durationColumn = <Row,>(key: string, header: string, of: Figure<Row>, options?: Options<Row>) =>
  figureColumn(key, header, of, duration, { unitWidth: 3, ...options });
