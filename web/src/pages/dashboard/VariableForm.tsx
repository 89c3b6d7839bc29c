import { ActionIcon, Button, Group, Popover, Select, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";

import type { Variable } from "../../api/dashboardsTypes";
import { useWords } from "../../i18n";

const KINDS = ["service", "host", "text"] as const;

interface Props {
  variables: readonly Variable[];
  onChange: (variables: Variable[]) => void;
}

/** The words for which values are put into queries. */
export function VariableForm({ variables, onChange }: Props) {
  const { t } = useWords();
  const replace = (place: number, next: Partial<Variable>) =>
    onChange(variables.map((variable, index) => (index === place ? { ...variable, ...next } : variable)));
  const add = () => {
    let number = variables.length + 1;
    while (variables.some(({ name }) => name === `value${number}`)) number++;
    onChange([...variables, { name: `value${number}`, kind: "service", default: "" }]);
  };
  return (
    <Popover position="bottom-end" shadow="md" trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default">
          {t("dashboards.variables", { count: variables.length })}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          {variables.map((variable, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the name is what is being edited
            <Group key={place} gap={6} wrap="nowrap">
              <TextInput
                size="xs"
                w={110}
                aria-label={t("name")}
                leftSection="$"
                value={variable.name}
                onChange={(event) => replace(place, { name: event.currentTarget.value })}
              />
              <Select
                size="xs"
                w={110}
                aria-label={t("kind")}
                allowDeselect={false}
                value={variable.kind}
                onChange={(kind) => kind && replace(place, { kind })}
                data={KINDS.map((kind) => ({ value: kind, label: t(`dashboards.variable.${kind}`) }))}
              />
              <TextInput
                size="xs"
                w={140}
                aria-label={t("dashboards.default")}
                placeholder={t("dashboards.default")}
                value={variable.default}
                onChange={(event) => replace(place, { default: event.currentTarget.value })}
              />
              <ActionIcon
                size="sm"
                variant="subtle"
                color="gray"
                aria-label={t("dashboards.deleteVariable", { name: variable.name })}
                onClick={() => onChange(variables.filter((_, index) => index !== place))}
              >
                <IconX size={14} />
              </ActionIcon>
            </Group>
          ))}
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={add}>
            {t("dashboards.addVariable")}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
