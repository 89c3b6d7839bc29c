import { Button, SegmentedControl } from "@mantine/core";
import { IconPlayerPauseFilled, IconPlayerPlayFilled } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";

import type { LiveFilter } from "../../api/live";
import { useWords } from "../../i18n";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { LIVE_WINDOWS_S, type LiveSearch } from "../../routes/live";
import { NoTraffic } from "../../shell/NoTraffic";
import { Page } from "../../shell/Page";
import { TEST_IDS } from "../../testIds";
import { ConnectionMark } from "./ConnectionMark";
import { LiveCharts } from "./LiveCharts";
import { LiveFigures } from "./LiveFigures";
import { LiveFilterBar } from "./LiveFilterBar";
import classes from "./LivePage.module.css";
import { LiveServices } from "./LiveServices";
import type { LiveState } from "./liveState";
import { RequestList } from "./RequestList";
import { useLive } from "./useLive";

const route = getRouteApi("/in/live");
const MOST_SLOW = 20;

/** The last minutes, second by second, as they happen. */
export default function LivePage() {
  const { t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { service, endpoint, min_ms, error, q, window_s = LIVE_WINDOWS_S[0], paused = false } = search;
  const filter = useMemo<LiveFilter>(
    () => ({ service, endpoint, min_ms, error, q }),
    [service, endpoint, min_ms, error, q],
  );
  const stream = useLive(filter, paused);
  const change = (next: LiveSearch) => navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const names = stream.state?.services.map((one) => one.service).sort() ?? [];
  return (
    <Page
      title={t("nav.live")}
      tools={
        <>
          <ConnectionMark stream={stream} paused={paused} />
          <SegmentedControl
            size="xs"
            ml="auto"
            aria-label={t("live.span")}
            value={String(window_s)}
            onChange={(chosen) => change({ window_s: Number(chosen) })}
            data={LIVE_WINDOWS_S.map((seconds) => ({
              value: String(seconds),
              label: t("live.minutes", { minutes: seconds / 60 }),
            }))}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={paused ? <IconPlayerPlayFilled size={13} /> : <IconPlayerPauseFilled size={13} />}
            onClick={() => change({ paused: paused ? undefined : true })}
            aria-pressed={paused}
            data-testid={TEST_IDS.livePause}
          >
            {paused ? t("live.resume") : t("live.pause")}
          </Button>
          <LiveFilterBar
            filter={filter}
            services={names}
            onChange={(next) =>
              change({
                service: next.service,
                endpoint: next.endpoint,
                min_ms: next.min_ms,
                error: next.error,
                q: next.q,
              })
            }
          />
        </>
      }
    >
      {stream.state ? (
        <LiveView state={stream.state} filter={filter} window_s={window_s} still={paused} />
      ) : paused ? (
        <Panel>
          <p className={classes.note}>{t("live.pausedEmpty")}</p>
        </Panel>
      ) : stream.connection.kind === "connecting" ? (
        <div aria-busy="true">
          <span className="visually-hidden" role="status">
            {t("loading")}
          </span>
          <ReportSkeleton />
        </div>
      ) : (
        <Panel>
          <p className={classes.note}>{t("live.nothing")}</p>
        </Panel>
      )}
    </Page>
  );
}

interface ViewProps {
  state: LiveState;
  filter: LiveFilter;
  window_s: number;
  still: boolean;
}

function LiveView({ state, filter, window_s, still }: ViewProps) {
  const { t } = useWords();
  const slowest = useMemo(
    () => [...state.rows].sort((a, b) => b.duration_ms - a.duration_ms).slice(0, MOST_SLOW),
    [state.rows],
  );
  const nothing = state.points.size === 0 && state.rows.length === 0 && Object.values(filter).every((one) => !one);
  if (nothing)
    return (
      <Panel>
        <NoTraffic title={t("live.empty")} />
      </Panel>
    );
  const left = [
    state.more > 0 && t("live.more", { count: state.more }),
    state.unread > 0 && t("live.unread", { count: state.unread }),
  ].filter(Boolean);
  return (
    <>
      <LiveFigures state={state} />
      <LiveCharts state={state} window_s={window_s} service={filter.service} still={still} />
      <div className={classes.columns}>
        <LiveServices services={state.services} />
        <RequestList title={t("live.latest")} rows={state.rows} aside={left.join(" · ")} testId={TEST_IDS.liveTail} />
        <RequestList title={t("live.slowest")} rows={slowest} />
      </div>
    </>
  );
}
