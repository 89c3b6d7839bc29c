import { Autocomplete } from "@mantine/core";

import type { Values } from "../../api/dashboards";
import type { Variable } from "../../api/dashboardsTypes";
import type { Known } from "./useKnown";

interface Props {
  variables: readonly Variable[];
  values: Values;
  known: Known;
  onChange: (values: Values) => void;
}

/** A field for each variable, with what is known as proposals. */
export function VariableFields({ variables, values, known, onChange }: Props) {
  return variables.map(({ name, kind }) => (
    <Autocomplete
      key={name}
      size="xs"
      aria-label={name}
      placeholder={name}
      leftSection={<span className="muted">$</span>}
      data={[...known[kind]]}
      value={values[name] ?? ""}
      onChange={(chosen) => onChange({ ...values, [name]: chosen })}
    />
  ));
}
