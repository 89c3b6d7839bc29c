import { Button, Loader } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

import type { Between, TraceFilter } from "../../api/endpoints";
import { tracesQuery } from "../../api/queries";
import type { TraceRow } from "../../api/types";
import { conditionsOf } from "../../domain/conditions";
import { betweenOf } from "../../domain/range";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import type { TracesSearch } from "../../routes/traces";
import { NoTraffic } from "../../shell/NoTraffic";
import { Page } from "../../shell/Page";
import { useRange } from "../../shell/useRange";
import { FilterBar, isFiltered } from "./FilterBar";
import { TraceScatter } from "./TraceScatter";
import { TraceTable } from "./TraceTable";

const route = getRouteApi("/in/traces");

/** Requests that match, as dots over time and as a table. */
export default function TracesPage() {
  const { t } = useWords();
  const { range, zoomTo } = useRange();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filter = useFilter(search);
  const { order } = filter;
  const traces = useInfiniteQuery(tracesQuery(filter, range));
  const change = ({ attribute, ...next }: Partial<TraceFilter>) =>
    navigate({
      search: (before) => ({ ...before, ...next, ...(attribute && { attribute: [...attribute] }) }),
      replace: true,
    });
  const clear = () => navigate({ search: { order: search.order }, replace: true });

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = traces;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const rows = useMemo(() => traces.data?.pages.flatMap(({ items }) => items), [traces.data]);
  const between = traces.data?.pages[0]?.between ?? betweenOf(range);
  const query = { data: rows, error: traces.error, refetch: traces.refetch };

  return (
    <Page title={t("nav.traces")} fill tools={<FilterBar filter={filter} onChange={change} onClear={clear} />}>
      <Loaded
        query={query as Parameters<typeof Loaded<NonNullable<typeof rows>>>[0]["query"]}
        skeleton={<TableSkeleton />}
      >
        {(found) =>
          found.length === 0 ? (
            <Panel>{isFiltered(filter) ? <NoMatch onClear={clear} /> : <NoTraffic title={t("traces.none")} />}</Panel>
          ) : (
            <>
              <TraceScatter
                rows={found}
                {...shownTimes(found, between, order === "newest" && hasNextPage)}
                onSelect={zoomTo}
              />
              <TraceTable
                rows={found}
                onEnd={onEnd}
                foot={
                  isFetchingNextPage ? (
                    <Loader size="xs" />
                  ) : hasNextPage ? undefined : (
                    t("traces.all", { count: found.length })
                  )
                }
              />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

/** The filter of an address; the same one as long as the address says the same. */
function useFilter(search: TracesSearch): TraceFilter & { order: "newest" | "slowest" } {
  const { app, service, instance, endpoint, peer, status, min_ms, max_ms, error, attribute, any_span, order } = search;
  const attributes = JSON.stringify(conditionsOf(attribute));
  return useMemo(
    () => ({
      ...{ app, service, instance, endpoint, peer, status, min_ms, max_ms, error, any_span },
      attribute: attributes === "[]" ? undefined : (JSON.parse(attributes) as string[]),
      order: order ?? "newest",
    }),
    [app, service, instance, endpoint, peer, status, min_ms, max_ms, error, attributes, any_span, order],
  );
}

/** Newest first, what is not loaded yet is all older: then the picture covers the rows that are there. */
function shownTimes(rows: readonly TraceRow[], between: Between, partly: boolean): Between {
  const oldest = rows.at(-1);
  const newest = rows[0];
  if (!partly || !oldest || !newest) return between;
  const [from, to] = [new Date(oldest.start_time).getTime(), new Date(newest.start_time).getTime()];
  return from < to ? { from, to } : between;
}

function NoMatch({ onClear }: { onClear: () => void }) {
  const { t } = useWords();
  return (
    <Empty title={t("traces.empty")}>
      <p style={{ margin: "0 0 12px" }}>{t("traces.empty.hint")}</p>
      <Button size="xs" variant="default" onClick={onClear}>
        {t("traces.clear")}
      </Button>
    </Empty>
  );
}
