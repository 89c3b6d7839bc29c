import { Skeleton } from "@mantine/core";

const ROWS = ["a", "b", "c", "d", "e", "f", "g", "h"];

export function TableSkeleton({ rows = 8 }: { rows?: number }) {
  return (
    <div style={{ display: "grid", gap: 10, padding: 14 }}>
      {ROWS.slice(0, rows).map((row) => (
        <Skeleton key={row} height={22} radius="sm" />
      ))}
    </div>
  );
}

export function ChartSkeleton({ height }: { height: number }) {
  return <Skeleton height={height} radius="sm" />;
}

/** Figures, a row of charts, a table. */
export function ReportSkeleton() {
  return (
    <div style={{ display: "grid", gap: 12 }}>
      <Skeleton height={92} radius="sm" />
      <div style={{ display: "grid", gap: 12, gridTemplateColumns: "repeat(auto-fit, minmax(280px, 1fr))" }}>
        {ROWS.slice(0, 3).map((chart) => (
          <Skeleton key={chart} height={210} radius="sm" />
        ))}
      </div>
      <TableSkeleton />
    </div>
  );
}
