import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { CALL_LISTS, type CallList, SLOW_ORDERS, type SlowOrder, slowQuery } from "../../api/slow";
import type { SlowPage as Answer } from "../../api/slowTypes";
import { count, duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { GroupsPanel } from "../../parts/GroupsPanel";
import { Loaded } from "../../parts/Loaded";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { SlowSearch } from "../../routes/problems";
import { Page } from "../../shell/Page";
import { ServiceChoice } from "../../shell/ServiceChoice";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import { SlowTable } from "./SlowTable";

const route = getRouteApi("/in/slow");

/** Calls that differ in values alone, as groups: which take most time, or longest. */
export default function SlowPage() {
  const { t } = useWords();
  const { range } = useRange();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { kind = "sql", order = "total", service } = search;
  const groups = useQuery(slowQuery({ kind, order, service }, range));
  const change = (next: Partial<SlowSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Page
      title={t("nav.slow")}
      tools={
        <>
          <SegmentedControl
            size="xs"
            aria-label={t("slow.kind")}
            data-testid={TEST_IDS.slowKind}
            value={kind}
            onChange={(next) => change({ kind: next as CallList, q: undefined })}
            data={CALL_LISTS.map((value) => ({ value, label: t(`slow.${value}`) }))}
          />
          <ServiceChoice
            placeholder={t("slow.service")}
            value={service}
            onChange={(next) => change({ service: next })}
          />
          <SearchField
            label={t("slow.search")}
            value={search.q ?? ""}
            onChange={(words) => change({ q: words || undefined })}
          />
        </>
      }
    >
      <Loaded query={groups} skeleton={<TableSkeleton />}>
        {(found) => (
          <Groups found={found} search={{ ...search, kind, order }} onOrder={(next) => change({ order: next })} />
        )}
      </Loaded>
    </Page>
  );
}

interface GroupsProps {
  found: Answer;
  search: SlowSearch & { kind: CallList; order: SlowOrder };
  onOrder: (order: SlowOrder) => void;
}

function Groups({ found, search, onOrder }: GroupsProps) {
  const { t } = useWords();
  const words = (search.q ?? "").toLowerCase();
  const shown = found.items.filter(({ text: said, peers, services }) =>
    [said, ...peers, ...services.map(({ service }) => service)].some((name) => name.toLowerCase().includes(words)),
  );
  const { rest } = found;
  return (
    <GroupsPanel
      title={t("slow.groups", { count: shown.length })}
      found={found.items.length}
      shown={shown.length}
      words={search.q ?? ""}
      none={<Empty title={t(`slow.none.${search.kind}`)}>{t("slow.none.hint")}</Empty>}
    >
      <SlowTable
        groups={shown}
        kind={search.kind}
        service={search.service}
        sort={`-${search.order}`}
        onSort={(sort) => onOrder(SLOW_ORDERS.find((order) => sort.endsWith(order)) ?? "total")}
        foot={
          rest.groups > 0 &&
          t("slow.rest", {
            groups: text(count(rest.groups)),
            calls: text(count(rest.calls)),
            total: text(duration(rest.total_ms)),
          })
        }
      />
    </GroupsPanel>
  );
}
