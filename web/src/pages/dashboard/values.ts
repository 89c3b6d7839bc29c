/** The values of a dashboard's variables in its address. */

import type { Values } from "../../api/dashboards";
import type { Variable } from "../../api/dashboardsTypes";

/** `name=value` of the address for each variable that there is, else its default. */
export function valuesOf(variables: readonly Variable[], said: readonly string[] = []): Values {
  const given = new Map(said.map((text) => [text.split("=")[0] as string, text.slice(text.indexOf("=") + 1)]));
  return Object.fromEntries(variables.map((variable) => [variable.name, given.get(variable.name) ?? variable.default]));
}
