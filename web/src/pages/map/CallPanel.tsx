import { ActionIcon, Button } from "@mantine/core";
import { IconArrowNarrowRight, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

import type { MapEdge, MapNode, ServiceMap } from "../../api/types";
import { count, duration, percent, type Quantity, rate, text } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { disagrees } from "../../domain/mapCalls";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { HealthMark } from "../../parts/HealthMark";
import type { TracesSearch } from "../../routes/traces";
import { TEST_IDS } from "../../testIds";
import classes from "./MapPage.module.css";

interface Props {
  call: MapEdge;
  map: ServiceMap;
  seconds: number;
  onSelect: (id: string | undefined) => void;
}

/** One call as both ends tell it. */
export function CallPanel({ call, map, seconds, onSelect }: Props) {
  const { t } = useWords();
  const source = map.nodes.find(({ id }) => id === call.source);
  const target = map.nodes.find(({ id }) => id === call.target);
  const there = call.other_end;
  const search = source && target && tracesOf(source, target);
  const rows: { label: string; here: Quantity; there: Quantity | undefined }[] = [
    { label: t("map.seen"), here: count(call.requests), there: there ? count(there.requests) : undefined },
    {
      label: t("figure.failed"),
      here: percent(call.requests ? call.errors / call.requests : null),
      there: there ? percent(there.requests ? there.errors / there.requests : null) : undefined,
    },
    {
      label: t("figure.average"),
      here: duration(call.average_ms),
      there: there ? duration(there.average_ms) : undefined,
    },
    { label: "p95", here: duration(call.p95_ms), there: there ? duration(there.p95_ms) : undefined },
  ];
  return (
    <aside className={classes.panel} data-testid={TEST_IDS.mapCallPanel} aria-label={t("map.call")}>
      <div className={classes.panelHead}>
        <span style={{ marginTop: 4 }}>
          <HealthMark health={healthOf(call)} />
        </span>
        <h2 className={classes.panelName}>
          {source?.name}{" "}
          <IconArrowNarrowRight size={16} style={{ verticalAlign: "-3px" }} aria-label={t("map.calls.word")} />{" "}
          {target?.name}
        </h2>
        <ActionIcon variant="subtle" color="gray" size="sm" onClick={() => onSelect(undefined)} aria-label={t("close")}>
          <IconX size={15} />
        </ActionIcon>
      </div>
      <div className="muted">
        {text(rate(call.requests / seconds))}
        {call.is_message && ` · ${t("map.message")}`}
        {call.known_by && ` · ${t(`map.knownBy.${call.known_by}`)}`}
      </div>
      <table className={classes.ends}>
        <thead>
          <tr>
            <td />
            <th scope="col">{t(call.is_message ? "map.taker" : "map.callerSays")}</th>
            {there && <th scope="col">{t(call.is_message ? "map.seenPairs" : "map.calleeSays")}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <th scope="row">{row.label}</th>
              <td>
                <Amount of={row.here} />
              </td>
              {row.there && (
                <td>
                  <Amount of={row.there} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {there ? (
        <p className={classes.between} data-warn={disagrees(call) || undefined}>
          {disagrees(call) && <HealthMark health="warn" size={10} />}{" "}
          {there.waiting_share === null
            ? t("map.lay", { time: text(duration(there.waiting_ms)) })
            : t("map.between", {
                time: text(duration(there.waiting_ms)),
                share: text(percent(there.waiting_share)),
              })}
        </p>
      ) : (
        target?.type === "service" && !call.is_message && <p className={classes.between}>{t("map.oneEnd")}</p>
      )}
      <div className={classes.buttons}>
        {[source, target].map(
          (node) =>
            node && (
              <Button
                key={node.id}
                size="compact-xs"
                variant="default"
                onClick={() => onSelect(node.id)}
                className={classes.nodeButton}
              >
                {node.name}
              </Button>
            ),
        )}
        {search && (
          <Button
            size="compact-xs"
            variant="default"
            renderRoot={(props) => <Link to="/traces" search={search} {...props} />}
          >
            {t("map.slowest")}
          </Button>
        )}
      </div>
    </aside>
  );
}

/** Of a service its requests; of anything else the calls to it, which only the caller tells of. */
function tracesOf(source: MapNode, target: MapNode): TracesSearch | undefined {
  if (target.type === "service") return { service: target.name, order: "slowest" };
  if (source.type !== "service") return undefined;
  return { service: source.name, peer: target.name, any_span: true, order: "slowest" };
}
