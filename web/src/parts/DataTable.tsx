import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, memo, type ReactNode, useEffect, useMemo, useRef } from "react";

import classes from "./DataTable.module.css";
import { readSort, type SortKey, sorted, writeSort } from "./tableOrder";

export interface Column<Row> {
  key: string;
  header: string;
  /** Pixels. The column without one takes what is left. */
  width?: number;
  /** In place of it on a phone. */
  phoneWidth?: number;
  /** On a phone it stands behind the others: what is sought comes into view first. */
  phoneLast?: boolean;
  align?: "right";
  /** Makes the column sortable. */
  sortBy?: (row: Row) => SortKey;
  /** Figures are asked for from the top, names from the start. */
  firstDescending?: boolean;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** As in the address, e.g. `-p95`. */
  sort?: string;
  onSort?: (sort: string) => void;
  onOpen?: (row: Row) => void;
  selected?: string;
  /** Called when the last rows come into view. */
  onEnd?: () => void;
  rowHeight?: number;
  /** CSS length; the table scrolls inside it. */
  maxHeight?: string;
  /** Least room for the column without a width, in pixels; below it the table scrolls sideways. */
  restWidth?: number;
  /** Below the last row, e.g. "loading more". */
  foot?: ReactNode;
  testId?: string;
}

const OVERSCAN_ROWS = 12;
/** As wide as the column without a width gets on a phone when the table scrolls sideways. */
const PHONE_REST_PX = 180;

/** A table of any length: only the rows in view exist. Column widths are fixed, so nothing jumps while scrolling. */
export function DataTable<Row>(props: Props<Row>) {
  const { label, rows, rowKey, sort, onSort, onOpen, selected, onEnd, foot, testId } = props;
  const { rowHeight = 36, maxHeight = "72dvh" } = props;
  const phone = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false }) ?? false;
  const columns = useMemo(() => (phone ? forPhone(props.columns) : props.columns), [phone, props.columns]);
  const restWidth = phone ? Math.min(props.restWidth ?? PHONE_REST_PX, PHONE_REST_PX) : (props.restWidth ?? 200);
  const order = sort ? readSort(sort) : null;
  const ordered = useMemo(() => inOrder(rows, columns, sort), [rows, columns, sort]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: ordered.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN_ROWS,
    initialRect: { width: 0, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const first = items[0];
  const last = items[items.length - 1];
  const above = first?.start ?? 0;
  const below = last ? virtual.getTotalSize() - last.end : 0;

  const atEnd = ordered.length > 0 && (last?.index ?? 0) >= ordered.length - OVERSCAN_ROWS;
  // also when more rows came and the end is still in view
  // biome-ignore lint/correctness/useExhaustiveDependencies: the number of rows asks again
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd, ordered.length]);

  const minWidth = columns.reduce((sum, column) => sum + (column.width ?? restWidth), 0);
  return (
    <section
      ref={scroller}
      className={classes.scroller}
      style={{ maxHeight }}
      data-testid={testId}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={label}
    >
      <table className={classes.table} style={{ minWidth }} aria-rowcount={ordered.length + 1} aria-label={label}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} style={column.width ? { width: column.width } : undefined} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeaderCell key={column.key} column={column} order={order} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr style={{ height: above }} />}
          {items.map((item) => {
            const row = ordered[item.index] as Row;
            const key = rowKey(row);
            return (
              <BodyRow
                key={key}
                row={row}
                columns={columns}
                place={item.index + 2}
                height={rowHeight}
                selected={key === selected}
                onOpen={onOpen}
              />
            );
          })}
          {below > 0 && <tr style={{ height: below }} />}
        </tbody>
      </table>
      {foot && <div className={classes.foot}>{foot}</div>}
    </section>
  );
}

interface BodyRowProps<Row> {
  row: Row;
  columns: readonly Column<Row>[];
  /** From 1, the header's. */
  place: number;
  height: number;
  selected: boolean;
  onOpen: ((row: Row) => void) | undefined;
}

/** Remembered: while the table scrolls, only rows that come into view are drawn. */
const BodyRow = memo(function BodyRow<Row>({ row, columns, place, height, selected, onOpen }: BodyRowProps<Row>) {
  return (
    <tr
      aria-rowindex={place}
      data-selected={selected || undefined}
      data-opens={onOpen ? true : undefined}
      style={{ height }}
      onClick={onOpen && ((event) => openUnlessLink(event, () => onOpen(row)))}
    >
      {columns.map((column) => (
        <td key={column.key} className={column.align === "right" ? classes.right : undefined}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}) as <Row>(props: BodyRowProps<Row>) => ReactNode;

function forPhone<Row>(columns: readonly Column<Row>[]): readonly Column<Row>[] {
  const narrowed = columns.map((column) => ({ ...column, width: column.phoneWidth ?? column.width }));
  return [...narrowed.filter(({ phoneLast }) => !phoneLast), ...narrowed.filter(({ phoneLast }) => phoneLast)];
}

/** A click on a link or button inside the row is its own affair; so is one that ends a selection of text. */
function openUnlessLink(event: MouseEvent<HTMLElement>, open: () => void): void {
  const target = event.target as HTMLElement;
  if (target.closest("a,button") || window.getSelection()?.toString()) return;
  open();
}

function inOrder<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: string | undefined): readonly Row[] {
  if (!sort) return rows;
  const { column, descending } = readSort(sort);
  const sortBy = columns.find(({ key }) => key === column)?.sortBy;
  return sortBy ? sorted(rows, sortBy, descending) : rows;
}

interface HeaderProps<Row> {
  column: Column<Row>;
  order: { column: string; descending: boolean } | null;
  onSort?: (sort: string) => void;
}

function HeaderCell<Row>({ column, order, onSort }: HeaderProps<Row>) {
  const className = column.align === "right" ? classes.right : undefined;
  if (!column.sortBy || !onSort) {
    return (
      <th scope="col" className={className}>
        {column.header}
      </th>
    );
  }
  const active = order?.column === column.key;
  const arrow = active && (
    <span className={classes.arrow} aria-hidden="true">
      {order.descending ? "↓" : "↑"}
    </span>
  );
  const descending = active ? !order.descending : (column.firstDescending ?? column.align === "right");
  return (
    <th scope="col" className={className} aria-sort={active ? (order.descending ? "descending" : "ascending") : "none"}>
      <button
        type="button"
        className={classes.sort}
        onClick={() => onSort(writeSort({ column: column.key, descending }))}
      >
        {column.align === "right" && arrow}
        {column.header}
        {column.align !== "right" && arrow}
      </button>
    </th>
  );
}
