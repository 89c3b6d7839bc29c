import { ActionIcon, Button, SegmentedControl } from "@mantine/core";
import { IconArrowsExchange, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

import type { MapEdge, MapNode, ServiceMap } from "../../api/types";
import { duration, percent, type Quantity, rate } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { disagrees } from "../../domain/mapCalls";
import { HOPS, type Hops } from "../../domain/mapFocus";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { callId } from "../../parts/graph/layout";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { TEST_IDS } from "../../testIds";
import classes from "./MapPage.module.css";

interface Props {
  node: MapNode;
  map: ServiceMap;
  seconds: number;
  hops: Hops;
  onSelect: (id: string | undefined) => void;
  onHops: (hops: Hops) => void;
  onCall: (id: string) => void;
}

/** The chosen node in figures, and where to go from it. */
export function NodePanel({ node, map, seconds, hops, onSelect, onHops, onCall }: Props) {
  const { t } = useWords();
  const nameOf = (id: string) => map.nodes.find((other) => other.id === id)?.name ?? id;
  const callers = map.edges.filter(({ target }) => target === node.id);
  const callees = map.edges.filter(({ source }) => source === node.id);
  const failed = node.requests ? node.errors / node.requests : null;
  return (
    <aside className={classes.panel} data-testid={TEST_IDS.mapPanel} aria-label={node.name}>
      <div className={classes.panelHead}>
        <span style={{ marginTop: 4 }}>
          <HealthMark health={healthOf(node)} />
        </span>
        <h2 className={classes.panelName}>{node.name}</h2>
        <ActionIcon variant="subtle" color="gray" size="sm" onClick={() => onSelect(undefined)} aria-label={t("close")}>
          <IconX size={15} />
        </ActionIcon>
      </div>
      <div className="muted">{[t(`type.${node.type}`), node.system].filter(Boolean).join(" · ")}</div>
      <dl className={classes.figures}>
        <One label={t("figure.traffic")} of={rate(node.requests / seconds)} />
        <One label={t("figure.failed")} of={percent(failed)} />
        <One label={t("figure.average")} of={duration(node.average_ms)} />
        <One label="p95" of={duration(node.p95_ms)} />
      </dl>
      {node.type === "service" && (
        <div className={classes.buttons}>
          <Button
            size="xs"
            renderRoot={(props) => <Link to="/services/$service" params={{ service: node.name }} {...props} />}
          >
            {t("map.openService")}
          </Button>
          <Button
            size="xs"
            variant="default"
            renderRoot={(props) => <Link to="/traces" search={{ service: node.name }} {...props} />}
          >
            {t("service.traces")}
          </Button>
        </div>
      )}
      <div className={classes.hops}>
        <span>{t("map.hops")}</span>
        <SegmentedControl
          size="xs"
          aria-label={t("map.hops")}
          value={String(hops)}
          onChange={(chosen) => onHops(Number(chosen) as Hops)}
          data={HOPS.map((one) => ({ value: String(one), label: one === 0 ? t("map.hops.all") : String(one) }))}
        />
      </div>
      <Calls
        title={t("service.callers")}
        calls={callers}
        idOf={(call) => call.source}
        {...{ nameOf, seconds, onSelect, onCall }}
      />
      <Calls
        title={t("service.callees")}
        calls={callees}
        idOf={(call) => call.target}
        {...{ nameOf, seconds, onSelect, onCall }}
      />
    </aside>
  );
}

function One({ label, of }: { label: string; of: Quantity }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Amount of={of} />
      </dd>
    </div>
  );
}

interface CallsProps {
  title: string;
  calls: readonly MapEdge[];
  idOf: (call: MapEdge) => string;
  nameOf: (id: string) => string;
  seconds: number;
  onSelect: (id: string) => void;
  onCall: (id: string) => void;
}

function Calls({ title, calls, idOf, nameOf, seconds, onSelect, onCall }: CallsProps) {
  const { t } = useWords();
  if (calls.length === 0) return null;
  return (
    <>
      <h3 className={classes.group}>{title}</h3>
      {calls.map((call) => (
        <div key={idOf(call)} className={classes.callRow}>
          <button type="button" className={classes.call} onClick={() => onSelect(idOf(call))}>
            <Name mark={<HealthMark health={healthOf(call)} size={10} />}>{nameOf(idOf(call))}</Name>
            <Amount of={rate(call.requests / seconds)} />
            <Amount of={duration(call.p95_ms ?? call.average_ms)} unitWidth={3} />
          </button>
          <ActionIcon
            variant="subtle"
            color={disagrees(call) ? "yellow" : "gray"}
            size="sm"
            onClick={() => onCall(callId(call.source, call.target))}
            aria-label={t("map.bothEnds")}
            title={t("map.bothEnds")}
          >
            <IconArrowsExchange size={14} />
          </ActionIcon>
        </div>
      ))}
    </>
  );
}
