import type { ReactNode } from "react";

interface Props {
  children: string;
  mono?: boolean;
  /** Stands in front and keeps its room. */
  mark?: ReactNode;
}

/** A name of any length in the room there is; the whole of it on hover. */
export function Name({ children, mono, mark }: Props) {
  const text = (
    <span className={mono ? "ellipsis mono" : "ellipsis"} title={children}>
      {children}
    </span>
  );
  if (!mark) return text;
  return (
    <span style={{ display: "flex", alignItems: "center", gap: 8, minWidth: 0 }}>
      {mark}
      {text}
    </span>
  );
}
