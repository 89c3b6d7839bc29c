import { useQuery } from "@tanstack/react-query";
import type { Variable } from "../../api/dashboardsTypes";
import { nodesQuery } from "../../api/nodes";
import { servicesQuery } from "../../api/queries";
import { useRange } from "../../shell/useRange";

export type Known = Record<Variable["kind"], readonly string[]>;

/** What variables can be, by their kind; of services the busiest first. And whether that is still being asked. */
export function useKnown(variables: readonly Variable[]): { known: Known; asking: boolean } {
  const { range } = useRange();
  const asks = (kind: Variable["kind"]) => variables.some((variable) => variable.kind === kind);
  const services = useQuery({ ...servicesQuery(range), enabled: asks("service") });
  const nodes = useQuery({ ...nodesQuery, enabled: asks("host") });
  const busiest = [...(services.data ?? [])].sort((a, b) => b.requests - a.requests);
  return {
    known: {
      service: [...new Set(busiest.map(({ service }) => service))],
      host: [...new Set(nodes.data?.map(({ host }) => host))],
      text: [],
    },
    asking: services.isLoading || nodes.isLoading,
  };
}
