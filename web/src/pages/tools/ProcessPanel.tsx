import { ActionIcon, Button } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { api } from "../../api/endpoints";
import { toolsQuery } from "../../api/queries";
import type { Process, Tool, ToolState } from "../../api/types";
import { inOrder, toolName } from "../../domain/tools";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { TEST_IDS } from "../../testIds";
import { processKey } from "./processKey";
import { StartForm } from "./StartForm";
import classes from "./ToolsPage.module.css";

interface Props {
  /** undefined: it was chosen, and is gone. */
  process: Process | undefined;
  tool: string | undefined;
  onTool: (tool: string) => void;
  onClose: () => void;
}

/** The chosen process: what it is, what it can do now, and the form that starts it. */
export function ProcessPanel({ process, tool, onTool, onClose }: Props) {
  const { t } = useWords();
  const close = (
    <ActionIcon variant="subtle" color="gray" size="sm" onClick={onClose} aria-label={t("close")}>
      <IconX size={15} />
    </ActionIcon>
  );
  if (!process) {
    return (
      <Panel title={t("tools.process")} aside={close}>
        <Empty title={t("tools.gone")} />
      </Panel>
    );
  }
  const { service, pid, host, node, instance, probe_version, native, command, node_connected } = process;
  return (
    <Panel title={`${service} · ${t("job.pid", { pid })}`} aside={close} flush testId={TEST_IDS.processPanel}>
      <div className={classes.panelHead}>
        <Link to="/services/$service" params={{ service }} className="link" preload={false}>
          {service}
        </Link>
        <Link to="/nodes/$host" params={{ host: host || node }} className="link" preload={false}>
          {host || node}
        </Link>
        {instance && <span className="mono">{instance}</span>}
        {probe_version && (
          <span>
            {t("tools.probe")} {probe_version}, {t(native ? "tools.native" : "tools.notNative")}
          </span>
        )}
        <code>{command}</code>
      </div>
      {!node_connected && (
        <div className={classes.warning} role="status">
          <HealthMark health="warn" /> {t("tools.nodeGone", { host: host || node })}
        </div>
      )}
      <ToolChoice process={process} chosen={tool} onTool={onTool} />
    </Panel>
  );
}

function ToolChoice({
  process,
  chosen,
  onTool,
}: {
  process: Process;
  chosen?: string;
  onTool: (tool: string) => void;
}) {
  const { t } = useWords();
  const tools = useQuery(toolsQuery);
  const { app, node, pid, node_connected } = process;
  const queryClient = useQueryClient();
  const ask = useMutation({
    mutationFn: () => api.askProcess({ app, node, pid }),
    onSuccess: (answered) => {
      const told = new Map(answered.map((one) => [processKey(one), one]));
      queryClient.setQueriesData<Process[]>({ queryKey: ["processes"] }, (known) =>
        known?.map((one) => told.get(processKey(one)) ?? one),
      );
    },
  });
  const asked = useRef(false);
  const { mutate } = ask;
  useEffect(() => {
    if (asked.current || !node_connected) return;
    asked.current = true;
    mutate();
  }, [mutate, node_connected]);
  return (
    <Loaded query={tools} skeleton={<TableSkeleton rows={4} />}>
      {(all) => {
        const states = new Map(process.tools?.map((state) => [state.name, state]));
        const ordered = inOrder(all);
        const tool = ordered.find(({ name }) => name === chosen) ?? ordered[0];
        return (
          <div className={classes.body}>
            <div className={classes.cards} data-testid={TEST_IDS.toolCards}>
              {ordered.map((one) => (
                <Card
                  key={one.name}
                  tool={one}
                  state={states.get(one.name)}
                  chosen={one === tool}
                  onChoose={() => onTool(one.name)}
                />
              ))}
              <Button
                size="compact-xs"
                variant="subtle"
                color="gray"
                mt={4}
                loading={ask.isPending}
                disabled={!node_connected}
                onClick={() => ask.mutate()}
              >
                {t("tools.ask")}
              </Button>
            </div>
            <div className={classes.form}>
              {ask.isPending && !process.tools && <p className={classes.quiet}>{t("tools.asking")}</p>}
              {ask.error && (
                <>
                  <p className={classes.text}>
                    <HealthMark health="warn" /> {t("tools.askFailed")}
                  </p>
                  <Failure error={ask.error} />
                </>
              )}
              {tool && (
                <StartForm
                  // the process knows its options best: once it has answered, the form begins with them
                  key={`${tool.name} ${states.has(tool.name)}`}
                  process={process}
                  tool={{ ...tool, options: states.get(tool.name)?.options ?? tool.options }}
                  state={states.get(tool.name)}
                />
              )}
            </div>
          </div>
        );
      }}
    </Loaded>
  );
}

interface CardProps {
  tool: Tool;
  state: ToolState | undefined;
  chosen: boolean;
  onChoose: () => void;
}

function Card({ tool, state, chosen, onChoose }: CardProps) {
  const { t } = useWords();
  const health = !state ? "idle" : state.running ? "warn" : state.available ? "ok" : "error";
  const word = !state
    ? "tools.unasked"
    : state.running
      ? "tools.running"
      : state.available
        ? "tools.available"
        : "tools.unavailable";
  return (
    <button type="button" className={classes.card} aria-pressed={chosen} onClick={onChoose} title={state?.why_not}>
      <HealthMark health={health} size={10} />
      <span className={classes.cardName}>{toolName(t, tool.name)}</span>
      <span className={classes.cardState}>{t(word)}</span>
    </button>
  );
}
