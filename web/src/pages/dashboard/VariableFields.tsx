import { Autocomplete } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { Values } from "../../api/dashboards";
import type { Variable } from "../../api/dashboardsTypes";
import { nodesQuery } from "../../api/nodes";
import { servicesQuery } from "../../api/queries";
import { useRange } from "../../shell/useRange";

interface Props {
  variables: readonly Variable[];
  values: Values;
  onChange: (values: Values) => void;
}

/** A field for each variable, with what is known as proposals. */
export function VariableFields({ variables, values, onChange }: Props) {
  const { range } = useRange();
  const asks = (kind: Variable["kind"]) => variables.some((variable) => variable.kind === kind);
  const services = useQuery({ ...servicesQuery(range), enabled: asks("service") });
  const nodes = useQuery({ ...nodesQuery, enabled: asks("host") });
  const known = {
    service: [...new Set(services.data?.map(({ service }) => service))],
    host: [...new Set(nodes.data?.map(({ host }) => host))],
    text: [],
  };
  return variables.map(({ name, kind }) => (
    <Autocomplete
      key={name}
      size="xs"
      aria-label={name}
      placeholder={name}
      leftSection={<span className="muted">$</span>}
      data={known[kind]}
      value={values[name] ?? ""}
      onChange={(chosen) => onChange({ ...values, [name]: chosen })}
    />
  ));
}
