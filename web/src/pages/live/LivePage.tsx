import { Button } from "@mantine/core";
import { IconPlayerPauseFilled, IconPlayerPlayFilled } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { liveQuery } from "../../api/queries";
import type { Live } from "../../api/types";
import { useWords } from "../../i18n";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { ReportSkeleton } from "../../parts/Skeletons";
import { NoTraffic } from "../../shell/NoTraffic";
import { Page } from "../../shell/Page";
import { TEST_IDS } from "../../testIds";
import { BehindMark } from "./BehindMark";
import { LiveCharts } from "./LiveCharts";
import { LiveFigures } from "./LiveFigures";
import classes from "./LivePage.module.css";
import { LiveServices } from "./LiveServices";
import { RequestList } from "./RequestList";

/** The last minute, second by second. */
export default function LivePage() {
  const { t } = useWords();
  const [paused, setPaused] = useState(false);
  const live = useQuery(liveQuery(paused));
  return (
    <Page
      title={t("nav.live")}
      tools={
        <>
          <BehindMark live={live.data} paused={paused} />
          <Button
            size="xs"
            variant="default"
            ml="auto"
            leftSection={paused ? <IconPlayerPlayFilled size={13} /> : <IconPlayerPauseFilled size={13} />}
            onClick={() => setPaused(!paused)}
            aria-pressed={paused}
            data-testid={TEST_IDS.livePause}
          >
            {paused ? t("live.resume") : t("live.pause")}
          </Button>
        </>
      }
    >
      <Loaded query={live} skeleton={<ReportSkeleton />}>
        {(data) =>
          data.behind_ms === null ? (
            <Panel>
              <NoTraffic title={t("live.empty")} />
            </Panel>
          ) : (
            <LiveView live={data} paused={paused} />
          )
        }
      </Loaded>
    </Page>
  );
}

function LiveView({ live, paused }: { live: Live; paused: boolean }) {
  const { t } = useWords();
  return (
    <>
      <LiveFigures live={live} />
      <LiveCharts live={live} paused={paused} />
      <div className={classes.columns}>
        <LiveServices services={live.services} />
        <RequestList title={t("live.latest")} rows={live.latest} />
        <RequestList title={t("live.slowest")} rows={live.slowest} />
      </div>
    </>
  );
}
