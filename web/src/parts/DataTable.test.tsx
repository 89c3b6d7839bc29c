// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { type Column, DataTable } from "./DataTable";

// there is no layout here: every element is given the height of a screen
beforeAll(() => {
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, value: 800 });
});
afterEach(cleanup);

interface Row {
  name: string;
  size: number;
}

const COLUMNS: Column<Row>[] = [
  { key: "name", header: "Name", sortBy: ({ name }) => name, cell: ({ name }) => <a href="/x">{name}</a> },
  { key: "size", header: "Size", align: "right", sortBy: ({ size }) => size, cell: ({ size }) => size },
];
const table = (props: Partial<Parameters<typeof DataTable<Row>>[0]> = {}) => (
  <DataTable<Row>
    label="things"
    columns={COLUMNS}
    rows={[
      { name: "a", size: 1 },
      { name: "b", size: 2 },
    ]}
    rowKey={({ name }) => name}
    {...props}
  />
);

describe("a table", () => {
  it("makes only the rows in view of ten thousand", () => {
    const rows = Array.from({ length: 10_000 }, (_, size) => ({ name: `row ${size}`, size }));
    render(table({ rows }));
    const shown = screen.getAllByRole("row").length;
    expect(shown).toBeGreaterThan(800 / 36);
    expect(shown).toBeLessThan(100);
    expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("10001");
  });

  it("asks for the order from its heads: figures from the top first, then turned", () => {
    const onSort = vi.fn();
    const { rerender } = render(table({ onSort, sort: "name" }));
    fireEvent.click(screen.getByRole("button", { name: "Size" }));
    expect(onSort).toHaveBeenLastCalledWith("-size");
    rerender(table({ onSort, sort: "-size" }));
    expect(screen.getAllByRole("cell")[0]?.textContent).toBe("b");
    fireEvent.click(screen.getByRole("button", { name: /Size/ }));
    expect(onSort).toHaveBeenLastCalledWith("size");
  });

  it("opens a row by a click on it, and leaves links to themselves", () => {
    const onOpen = vi.fn();
    render(table({ onOpen }));
    fireEvent.click(screen.getByRole("link", { name: "a" }));
    expect(onOpen).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("cell", { name: "2" }));
    expect(onOpen).toHaveBeenCalledWith({ name: "b", size: 2 });
  });

  it("shows a hostile name as text", () => {
    const name = '<img src=x onerror="alert(1)">';
    const { container } = render(table({ rows: [{ name, size: 1 }] }));
    expect(screen.getByRole("link").textContent).toBe(name);
    expect(container.querySelector("img")).toBeNull();
  });

  it("puts first on a phone what is sought", () => {
    const columns = [{ ...(COLUMNS[0] as Column<Row>), phoneLast: true }, COLUMNS[1] as Column<Row>];
    const order = () => screen.getAllByRole("columnheader").map((header) => header.textContent);
    const { unmount } = render(table({ columns }));
    expect(order()).toEqual(["Name", "Size"]);
    unmount();
    vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener() {}, removeEventListener() {} }));
    render(table({ columns }));
    expect(order()).toEqual(["Size", "Name"]);
    vi.unstubAllGlobals();
  });
});
