import { NOTHING } from "../domain/format";

/** A response code; 0 where the protocol has none. */
export function StatusCode({ code }: { code: number }) {
  if (code === 0) return <span className="muted">{NOTHING}</span>;
  const colour = code >= 500 ? "var(--s-error)" : code >= 400 ? "var(--s-warn)" : undefined;
  return <span style={{ color: colour }}>{code}</span>;
}
