import { NumberInput, Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { nodejsApi, nodejsConfigQuery } from "../../api/nodejs";
import type { NodejsProcessName } from "../../api/nodejsTypes";
import { useWords } from "../../i18n";
import { Failure } from "../../parts/Failure";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { TableSkeleton } from "../../parts/Skeletons";
import { useMayChange } from "../../shell/useMayChange";
import { TEST_IDS } from "../../testIds";
import classes from "./NodejsProcessPage.module.css";

/** The addon's settings in this process, as it says now; some can be changed until it ends. */
export function Config({ name }: { name: NodejsProcessName }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const queryClient = useQueryClient();
  const mayChange = useMayChange();
  const config = useQuery({ ...nodejsConfigQuery(name), enabled: open });
  const change = useMutation({
    mutationFn: (wish: Record<string, boolean | number>) => nodejsApi.configure(name, wish),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: nodejsConfigQuery(name).queryKey }),
  });
  return (
    <Panel
      testId={TEST_IDS.nodejsConfig}
      title={t("nodejs.config")}
      aside={
        <Switch
          size="xs"
          label={t("nodejs.config.show")}
          checked={open}
          onChange={(event) => setOpen(event.currentTarget.checked)}
        />
      }
    >
      {open && config.error && <Failure error={config.error} onRetry={() => config.refetch()} />}
      {open && config.isPending && !config.error && <TableSkeleton rows={3} />}
      {open && config.data && (
        <div className={classes.settings}>
          {Object.entries(config.data.config)
            .sort(
              ([a], [b]) =>
                Number(config.data.changeable.includes(b)) - Number(config.data.changeable.includes(a)) ||
                a.localeCompare(b),
            )
            .map(([key, value]) => (
              <Setting
                key={key}
                name={key}
                value={value}
                isFixed={!mayChange || change.isPending || !config.data.changeable.includes(key)}
                onChange={(next) => change.mutate({ [key]: next })}
              />
            ))}
        </div>
      )}
      <Refused error={change.error} />
      {!open && <p className={classes.text}>{t("nodejs.config.hint")}</p>}
    </Panel>
  );
}

interface SettingProps {
  name: string;
  value: unknown;
  isFixed: boolean;
  onChange: (value: boolean | number) => void;
}

function Setting({ name, value, isFixed, onChange }: SettingProps) {
  return (
    <div className={classes.setting}>
      <code>{name}</code>
      {typeof value === "boolean" ? (
        <Switch
          size="xs"
          aria-label={name}
          checked={value}
          disabled={isFixed}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      ) : typeof value === "number" && !isFixed ? (
        <NumberInput
          key={value}
          size="xs"
          w={80}
          min={0}
          aria-label={name}
          defaultValue={value}
          onBlur={(event) => {
            const next = Number(event.currentTarget.value);
            if (event.currentTarget.value !== "" && next !== value) onChange(next);
          }}
        />
      ) : (
        <code className="muted">{String(value)}</code>
      )}
    </div>
  );
}
