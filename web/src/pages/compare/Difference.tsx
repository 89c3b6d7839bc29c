import { duration } from "../../domain/format";
import { Amount } from "../../parts/Amount";

/** How much longer it took; a colour only for what is slower. */
export function Difference({ ms }: { ms: number }) {
  const { value, unit } = duration(Math.abs(ms));
  const sign = ms > 0 ? "+" : ms < 0 ? "−" : "";
  return <Amount of={{ value: sign + value, unit }} unitWidth={3} tone={ms > 0 ? "error" : undefined} />;
}
