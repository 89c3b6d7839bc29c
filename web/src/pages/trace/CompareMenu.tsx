import { Button, Popover, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { similarTracesQuery } from "../../api/traces";
import type { Trace } from "../../api/types";
import { duration, moment, text } from "../../domain/format";
import { spreadByDuration } from "../../domain/similar";
import { useWords } from "../../i18n";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./CompareMenu.module.css";

const AROUND_MS = 30 * 60_000;
const LOOKED_AT = 200;
const SHOWN = 7;
const TRACE_ID = /^[0-9a-f]{32}$/;

/** Leads to this trace beside another: of the same endpoint, from the fastest to the slowest, or any by its id. */
export function CompareMenu({ trace }: { trace: Trace }) {
  const { t } = useWords();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [id, setId] = useState("");
  const root = trace.spans[0];
  const start = new Date(trace.start_time).getTime();
  const similar = useQuery({
    ...similarTracesQuery(
      root?.service ?? "",
      root?.name ?? "",
      { from: start - AROUND_MS, to: start + AROUND_MS },
      LOOKED_AT,
    ),
    enabled: open && root !== undefined,
  });
  const others = spreadByDuration(
    (similar.data ?? []).filter(({ trace_id }) => trace_id !== trace.trace_id),
    SHOWN,
  );
  const other = id.trim().toLowerCase();
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" shadow="md" withinPortal>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant="default"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          data-testid={TEST_IDS.compareMenu}
        >
          {t("beside.with")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.menu}>
        <div className={classes.hint}>{t("beside.similar")}</div>
        {similar.isPending && <div className="muted">{t("loading")}</div>}
        {similar.error && <div role="alert">{similar.error.message}</div>}
        {similar.data && others.length === 0 && <div className="muted">{t("beside.none")}</div>}
        {others.map((row) => (
          <Link
            key={row.trace_id}
            to="/traces/$traceId/compare/$other"
            params={{ traceId: trace.trace_id, other: row.trace_id }}
            className={classes.other}
            preload={false}
          >
            <HealthMark health={row.error ? "error" : "ok"} size={10} />
            <strong>{text(duration(row.duration_ms))}</strong>
            <span className="muted">{moment(row.start_time, "time")}</span>
            <span className="mono muted">{row.trace_id.slice(-8)}</span>
          </Link>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (TRACE_ID.test(other))
              void navigate({ to: "/traces/$traceId/compare/$other", params: { traceId: trace.trace_id, other } });
          }}
        >
          <TextInput
            size="xs"
            mt={8}
            placeholder={t("trace.id")}
            aria-label={t("beside.byId")}
            value={id}
            error={other !== "" && !TRACE_ID.test(other) ? t("beside.badId") : undefined}
            onChange={(event) => setId(event.currentTarget.value)}
          />
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
