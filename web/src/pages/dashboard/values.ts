/** The values of a dashboard's variables in its address. */

import type { Values } from "../../api/dashboards";
import type { Variable } from "../../api/dashboardsTypes";
import type { Known } from "./useKnown";

/** `name=value` of the address for each variable that there is, else its default, else the first that is known. */
export function valuesOf(variables: readonly Variable[], said: readonly string[] = [], known: Known): Values {
  const given = new Map(said.map((text) => [text.split("=")[0] as string, text.slice(text.indexOf("=") + 1)]));
  return Object.fromEntries(
    variables.map(({ name, kind, default: usual }) => [name, given.get(name) ?? (usual || (known[kind][0] ?? ""))]),
  );
}
