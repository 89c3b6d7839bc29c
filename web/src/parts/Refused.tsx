import { HealthMark } from "./HealthMark";

/** What was asked for was refused, in the server's words; nothing where it was not. */
export function Refused({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <p role="alert" style={{ margin: 0, padding: "6px 14px 8px", fontSize: "0.8125rem", overflowWrap: "anywhere" }}>
      <HealthMark health="error" /> {error.message}
    </p>
  );
}
