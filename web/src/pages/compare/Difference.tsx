import { isMuch } from "../../domain/comparison";
import { duration } from "../../domain/format";
import { Amount } from "../../parts/Amount";

interface Props {
  ms: number;
  /** The longer trace: a colour only for what makes a part of it. */
  of_ms: number;
}

/** How much longer it took. */
export function Difference({ ms, of_ms }: Props) {
  const { value, unit } = duration(Math.abs(ms));
  const sign = ms > 0 ? "+" : ms < 0 ? "−" : "";
  const slower = ms > 0 && isMuch(ms, of_ms);
  return <Amount of={{ value: sign + value, unit }} unitWidth={3} tone={slower ? "error" : undefined} />;
}
