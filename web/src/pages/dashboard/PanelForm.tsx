import { ActionIcon, Button, Drawer, Group, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";

import type { Panel, PanelKind, PanelQuery, PanelUnit } from "../../api/dashboardsTypes";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { type Figure as FigureName, HOST_FIGURES, SERVICE_FIGURES } from "../../parts/dashboard/figures";
import { UNITS } from "../../parts/dashboard/units";
import { TEST_IDS } from "../../testIds";

const KINDS: readonly PanelKind[] = ["timeseries", "number", "table", "text"];
const FRESH: Record<PanelQuery["kind"], PanelQuery> = {
  promql: { kind: "promql", query: "sum(sonde_requests_active)", legend: "" },
  service: { kind: "service", service: "$service", figure: "p95_ms" },
  host: { kind: "host", host: "$host", figure: "cpu_utilization" },
  services: { kind: "services" },
  hosts: { kind: "hosts" },
};

interface Props {
  panel: Panel;
  onChange: (panel: Panel) => void;
  onClose: () => void;
}

/** What one panel asks, and how it is shown. Each change is seen at once in the panel behind it. */
export function PanelForm({ panel, onChange, onClose }: Props) {
  const { t } = useWords();
  const ofKind = (kind: PanelKind): Panel => {
    if (kind === "text") return { ...panel, kind, queries: [] };
    const fitting = panel.queries.filter((query) => kind === "table" || !isList(query));
    return { ...panel, kind, queries: fitting.length > 0 ? fitting : [FRESH.promql] };
  };
  const replace = (place: number, query: PanelQuery) =>
    onChange({
      ...panel,
      // a list stands alone
      queries: isList(query) ? [query] : panel.queries.map((one, index) => (index === place ? query : one)),
    });
  return (
    <Drawer opened onClose={onClose} position="right" title={t("dashboards.editPanel")} overlayProps={{ opacity: 0.1 }}>
      <Stack gap="sm">
        <TextInput
          label={t("dashboards.title")}
          value={panel.title}
          onChange={(event) => onChange({ ...panel, title: event.currentTarget.value })}
          data-autofocus
          data-testid={TEST_IDS.panelTitle}
        />
        <Select
          label={t("kind")}
          allowDeselect={false}
          value={panel.kind}
          onChange={(kind) => kind && onChange(ofKind(kind))}
          data={KINDS.map((kind) => ({ value: kind, label: t(`dashboards.kind.${kind}`) }))}
        />
        {panel.kind === "text" ? (
          <Textarea
            label={t("dashboards.kind.text")}
            autosize
            minRows={5}
            value={panel.text}
            onChange={(event) => onChange({ ...panel, text: event.currentTarget.value })}
          />
        ) : (
          <>
            <Select
              label={t("dashboards.unit")}
              allowDeselect={false}
              value={panel.unit}
              onChange={(unit) => onChange({ ...panel, unit: (unit ?? "") as PanelUnit })}
              data={UNITS.map((unit) => ({ value: unit, label: t(`dashboards.unit.${unit}` as Key) }))}
            />
            {panel.queries.map((query, place) => (
              <QueryForm
                // biome-ignore lint/suspicious/noArrayIndexKey: queries have no name
                key={place}
                query={query}
                lists={panel.kind === "table"}
                onChange={(next) => replace(place, next)}
                onRemove={
                  panel.queries.length > 1
                    ? () => onChange({ ...panel, queries: panel.queries.filter((_, index) => index !== place) })
                    : undefined
                }
              />
            ))}
            {!panel.queries.some(isList) && panel.queries.length < 8 && (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconPlus size={14} />}
                onClick={() => onChange({ ...panel, queries: [...panel.queries, FRESH.promql] })}
              >
                {t("dashboards.addQuery")}
              </Button>
            )}
          </>
        )}
      </Stack>
    </Drawer>
  );
}

const isList = ({ kind }: PanelQuery) => kind === "services" || kind === "hosts";

interface QueryProps {
  query: PanelQuery;
  /** Lists may be asked for: the panel is a table. */
  lists: boolean;
  onChange: (query: PanelQuery) => void;
  onRemove?: () => void;
}

function QueryForm({ query, lists, onChange, onRemove }: QueryProps) {
  const { t } = useWords();
  const kinds = Object.keys(FRESH) as PanelQuery["kind"][];
  return (
    <Stack gap={6} p="xs" style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 6 }}>
      <Group gap={6} wrap="nowrap">
        <Select
          size="xs"
          flex={1}
          aria-label={t("dashboards.source")}
          allowDeselect={false}
          value={query.kind}
          onChange={(kind) => kind && onChange(FRESH[kind])}
          data={kinds
            .filter((kind) => lists || !isList(FRESH[kind]))
            .map((kind) => ({ value: kind, label: t(`dashboards.source.${kind}`) }))}
        />
        {onRemove && (
          <ActionIcon variant="subtle" color="gray" aria-label={t("dashboards.deleteQuery")} onClick={onRemove}>
            <IconX size={14} />
          </ActionIcon>
        )}
      </Group>
      {query.kind === "promql" && (
        <>
          <Textarea
            size="xs"
            autosize
            minRows={2}
            aria-label="PromQL"
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            value={query.query}
            onChange={(event) => onChange({ ...query, query: event.currentTarget.value })}
            data-testid={TEST_IDS.panelPromql}
          />
          <TextInput
            size="xs"
            aria-label={t("dashboards.legend")}
            placeholder={`${t("dashboards.legend")} {{instance}}`}
            value={query.legend}
            onChange={(event) => onChange({ ...query, legend: event.currentTarget.value })}
          />
        </>
      )}
      {query.kind === "service" && (
        <Figure
          label={t("service")}
          name={query.service}
          figure={query.figure}
          figures={SERVICE_FIGURES}
          onName={(service) => onChange({ ...query, service })}
          onFigure={(figure) => onChange({ ...query, figure })}
        />
      )}
      {query.kind === "host" && (
        <Figure
          label={t("dashboards.variable.host")}
          name={query.host}
          figure={query.figure}
          figures={HOST_FIGURES}
          onName={(host) => onChange({ ...query, host })}
          onFigure={(figure) => onChange({ ...query, figure })}
        />
      )}
    </Stack>
  );
}

interface FigureProps {
  label: string;
  name: string;
  figure: string;
  figures: readonly FigureName[];
  onName: (name: string) => void;
  onFigure: (figure: string) => void;
}

function Figure({ label, name, figure, figures, onName, onFigure }: FigureProps) {
  const { t } = useWords();
  return (
    <Group gap={6} wrap="nowrap">
      <TextInput
        size="xs"
        flex={1}
        aria-label={label}
        value={name}
        onChange={(event) => onName(event.currentTarget.value)}
      />
      <Select
        size="xs"
        flex={1}
        aria-label={t("dashboards.figure")}
        allowDeselect={false}
        value={figure}
        onChange={(next) => next && onFigure(next)}
        data={figures.map((one) => ({ value: one, label: t(`dashboards.figures.${one}`) }))}
      />
    </Group>
  );
}
