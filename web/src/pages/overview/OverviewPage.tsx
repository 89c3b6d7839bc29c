import { Button, SegmentedControl } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { servicesQuery } from "../../api/queries";
import type { Service } from "../../api/types";
import { count, percent, rate, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Figure, FigureRow } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { ReportSkeleton } from "../../parts/Skeletons";
import { NoTraffic } from "../../shell/NoTraffic";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { OverviewCharts } from "./OverviewCharts";
import { ServiceCards } from "./ServiceCards";
import { ServiceTable } from "./ServiceTable";
import { named, summaryOf } from "./summary";

const route = getRouteApi("/in/services");
const WORST_FIRST = "health";

/** How all services are doing. */
export default function OverviewPage() {
  const { t } = useWords();
  const { range, zoomTo } = useRange();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const services = useQuery(servicesQuery(range));
  const narrow = useMediaQuery("(max-width: 48em)");
  const view = search.view ?? (narrow ? "cards" : "table");
  const sort = search.sort ?? WORST_FIRST;
  const change = (next: Partial<typeof search>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });

  return (
    <Page
      title={t("nav.overview")}
      tools={
        <>
          <SearchField
            label={t("overview.search")}
            value={search.q ?? ""}
            onChange={(words) => change({ q: words || undefined })}
          />
          <SegmentedControl
            size="xs"
            ml="auto"
            value={view}
            onChange={(chosen) => change({ view: chosen as "table" | "cards" })}
            data={[
              { value: "table", label: t("view.table") },
              { value: "cards", label: t("view.cards") },
            ]}
          />
        </>
      }
    >
      <Loaded query={services} skeleton={<ReportSkeleton />}>
        {(all) => {
          if (all.length === 0)
            return (
              <Panel>
                <NoTraffic title={t("overview.empty")} />
              </Panel>
            );
          const shown = named(all, search.q);
          return (
            <>
              <SummaryRow services={all} />
              {shown.length === 0 ? (
                <Panel>
                  <Empty title={t("overview.noMatch", { words: search.q ?? "" })}>
                    <Button size="xs" variant="default" onClick={() => change({ q: undefined })}>
                      {t("clear")}
                    </Button>
                  </Empty>
                </Panel>
              ) : view === "cards" ? (
                <ServiceCards services={shown} sort={sort} />
              ) : (
                <ServiceTable services={shown} sort={sort} onSort={(next) => change({ sort: next })} />
              )}
              {!narrow && shown.length > 0 && <OverviewCharts services={shown} range={range} onSelect={zoomTo} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function SummaryRow({ services }: { services: readonly Service[] }) {
  const { t } = useWords();
  const summary = summaryOf(services);
  return (
    <FigureRow>
      <Figure label={t("overview.services")} of={count(summary.services)}>
        {t("overview.instances", { count: text(count(summary.instances)) })}
      </Figure>
      <Figure label={t("overview.failing")} of={count(summary.failing)} tone={summary.failing ? "error" : undefined}>
        {t("overview.warned", { count: text(count(summary.warned)) })}
      </Figure>
      <Figure label={t("figure.traffic")} of={rate(summary.requests_per_s)}>
        {t("overview.allServices")}
      </Figure>
      <Figure label={t("figure.success")} of={percent(summary.success_rate)}>
        {t("overview.allServices")}
      </Figure>
    </FigureRow>
  );
}
