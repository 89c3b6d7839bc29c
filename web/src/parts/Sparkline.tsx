import { sparkPaths } from "./sparkline";

interface Props {
  values: readonly (number | null)[];
  /** Drawn over the line at the same scale as a part of it, e.g. the errors among the requests. */
  part?: readonly (number | null)[];
  width?: number;
  height?: number;
  label: string;
  colour?: string;
}

/** A series as a word-sized picture. */
export function Sparkline({ values, part, width = 120, height = 24, label, colour = "var(--s-accent)" }: Props) {
  const { line, area } = sparkPaths(values, width, height);
  const top = Math.max(...values.map((value) => value ?? 0), 0);
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      style={{ display: "block", maxWidth: "100%" }}
      preserveAspectRatio="none"
    >
      <path d={area} fill={colour} opacity={0.16} />
      <path d={line} fill="none" stroke={colour} strokeWidth={1.25} strokeLinejoin="round" strokeLinecap="round" />
      {part && top > 0 && <PartBars values={part} top={top} width={width} height={height} />}
    </svg>
  );
}

function PartBars({
  values,
  top,
  width,
  height,
}: {
  values: Props["values"];
  top: number;
  width: number;
  height: number;
}) {
  const step = width / Math.max(1, values.length - 1);
  const bars = values
    .map((value, index) => {
      if (!value) return "";
      const size = Math.max(1, (value / top) * (height - 2));
      return `M${(index * step).toFixed(1)} ${height}v${-size.toFixed(1)}`;
    })
    .join("");
  return <path d={bars} stroke="var(--s-error)" strokeWidth={Math.max(1.5, step)} />;
}
