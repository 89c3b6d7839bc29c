import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { servicesQuery } from "../api/queries";
import { useRange } from "./useRange";

interface Props {
  placeholder: string;
  value: string | undefined;
  onChange: (service: string | undefined) => void;
}

/** One of the services of the chosen time, or all of them. */
export function ServiceChoice({ placeholder, value, onChange }: Props) {
  const { range } = useRange();
  const services = useQuery({ ...servicesQuery(range), refetchInterval: false });
  const names = new Set(services.data?.map(({ service }) => service));
  if (value) names.add(value);
  return (
    <Select
      size="xs"
      w={200}
      maw="100%"
      clearable
      searchable
      limit={100}
      aria-label={placeholder}
      placeholder={placeholder}
      data={[...names].sort()}
      value={value ?? null}
      onChange={(next) => onChange(next ?? undefined)}
    />
  );
}
