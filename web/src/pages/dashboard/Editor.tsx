import { ActionIcon, Button, Group, TextInput } from "@mantine/core";
import {
  IconArrowDown,
  IconArrowLeft,
  IconArrowRight,
  IconArrowsHorizontal,
  IconArrowsVertical,
  IconArrowUp,
  IconMinus,
  IconPencil,
  IconPlus,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";

import type { Values } from "../../api/dashboards";
import type { DashboardDocument, Panel } from "../../api/dashboardsTypes";
import { betweenOf } from "../../domain/range";
import { useWords } from "../../i18n";
import { ConfirmButton } from "../../parts/ConfirmButton";
import { Grid } from "../../parts/dashboard/Grid";
import { bottom, freeId, moved, settled } from "../../parts/dashboard/places";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { AskedPanel } from "./AskedPanel";
import { PanelForm } from "./PanelForm";
import { VariableForm } from "./VariableForm";

interface Props {
  document: DashboardDocument;
  app: string | null;
  values: Values;
  onChange: (document: DashboardDocument) => void;
}

/** The dashboard as it will be, with buttons to move and size each panel: they work with a keyboard as well. */
export function Editor({ document, app, values, onChange }: Props) {
  const { t } = useWords();
  const { range } = useRange();
  const [open, setOpen] = useState<string | null>(null);
  const { panels } = document;
  const change = (next: readonly Panel[], first?: string) => onChange({ ...document, panels: settled(next, first) });
  const replace = (panel: Panel) =>
    change(
      panels.map((one) => (one.id === panel.id ? panel : one)),
      panel.id,
    );
  const add = () => {
    const id = freeId(panels);
    const queries = [{ kind: "promql", query: "sum(sonde_requests_active)", legend: "" }] as const;
    const place = { x: 0, y: bottom(panels), w: 6, h: 5 };
    change([...panels, { id, title: "", kind: "timeseries", ...place, unit: "", queries: [...queries], text: "" }]);
    setOpen(id);
  };
  const opened = panels.find(({ id }) => id === open);
  return (
    <>
      <Group gap="sm" align="end" mb="sm">
        <TextInput
          size="xs"
          w={280}
          label={t("dashboards.title")}
          value={document.title}
          onChange={(event) => onChange({ ...document, title: event.currentTarget.value })}
          data-testid={TEST_IDS.dashboardTitle}
        />
        <TextInput
          size="xs"
          flex={1}
          miw={200}
          label={t("dashboards.description")}
          value={document.description}
          onChange={(event) => onChange({ ...document, description: event.currentTarget.value })}
        />
        <VariableForm variables={document.variables} onChange={(variables) => onChange({ ...document, variables })} />
        <Button size="xs" leftSection={<IconPlus size={14} />} onClick={add} data-testid={TEST_IDS.dashboardAdd}>
          {t("dashboards.addPanel")}
        </Button>
      </Group>
      <Grid panels={panels}>
        {(panel) => (
          <AskedPanel
            panel={panel}
            app={app}
            values={values}
            between={betweenOf(range)}
            aside={
              <Places
                panel={panel}
                onMove={(by) => replace(moved(panel, by))}
                onEdit={() => setOpen(panel.id)}
                onRemove={() => change(panels.filter(({ id }) => id !== panel.id))}
              />
            }
          />
        )}
      </Grid>
      {opened && <PanelForm panel={opened} onChange={replace} onClose={() => setOpen(null)} />}
    </>
  );
}

interface PlacesProps {
  panel: Panel;
  onMove: (by: { x?: number; y?: number; w?: number; h?: number }) => void;
  onEdit: () => void;
  onRemove: () => void;
}

function Places({ panel, onMove, onEdit, onRemove }: PlacesProps) {
  const { t } = useWords();
  const name = panel.title || panel.id;
  const button = (label: string, icon: ReactNode, work: () => void) => (
    <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`${label}: ${name}`} title={label} onClick={work}>
      {icon}
    </ActionIcon>
  );
  return (
    <Group gap={2} wrap="wrap">
      {button(t("dashboards.left"), <IconArrowLeft size={14} />, () => onMove({ x: -1 }))}
      {button(t("dashboards.right"), <IconArrowRight size={14} />, () => onMove({ x: 1 }))}
      {button(t("dashboards.up"), <IconArrowUp size={14} />, () => onMove({ y: -1 }))}
      {button(t("dashboards.down"), <IconArrowDown size={14} />, () => onMove({ y: panel.h }))}
      <IconArrowsHorizontal size={14} className="muted" aria-hidden="true" />
      {button(t("dashboards.narrower"), <IconMinus size={14} />, () => onMove({ w: -1 }))}
      {button(t("dashboards.wider"), <IconPlus size={14} />, () => onMove({ w: 1 }))}
      <IconArrowsVertical size={14} className="muted" aria-hidden="true" />
      {button(t("dashboards.lower"), <IconMinus size={14} />, () => onMove({ h: -1 }))}
      {button(t("dashboards.higher"), <IconPlus size={14} />, () => onMove({ h: 1 }))}
      {button(t("dashboards.editPanel"), <IconPencil size={14} />, onEdit)}
      <ConfirmButton label={t("dashboards.deletePanel")} confirm={t("dashboards.deleteSure")} onConfirm={onRemove} />
    </Group>
  );
}
