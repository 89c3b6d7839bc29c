import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { ERROR_ORDERS, type ErrorOrder, errorsQuery } from "../../api/errors";
import type { ErrorPage as Answer } from "../../api/errorsTypes";
import { count, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { GroupsPanel } from "../../parts/GroupsPanel";
import { Loaded } from "../../parts/Loaded";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { ErrorsSearch } from "../../routes/problems";
import { Page } from "../../shell/Page";
import { ServiceChoice } from "../../shell/ServiceChoice";
import { useRange } from "../../shell/useRange";
import { ErrorGroupTable } from "./ErrorGroupTable";

const route = getRouteApi("/in/errors");

/** What fails, by type and place: how often, since when, and whether it is new since a deploy. */
export default function ErrorsPage() {
  const { t } = useWords();
  const { range } = useRange();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { order = "times", service } = search;
  const groups = useQuery(errorsQuery(service, order, range));
  const change = (next: Partial<ErrorsSearch>) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });
  return (
    <Page
      title={t("nav.errors")}
      tools={
        <>
          <ServiceChoice
            placeholder={t("errors.service")}
            value={service}
            onChange={(next) => change({ service: next })}
          />
          <SearchField
            label={t("errors.search")}
            value={search.q ?? ""}
            onChange={(words) => change({ q: words || undefined })}
          />
        </>
      }
    >
      <Loaded query={groups} skeleton={<TableSkeleton />}>
        {(found) => <Groups found={found} search={{ ...search, order }} onOrder={(next) => change({ order: next })} />}
      </Loaded>
    </Page>
  );
}

interface GroupsProps {
  found: Answer;
  search: ErrorsSearch & { order: ErrorOrder };
  onOrder: (order: ErrorOrder) => void;
}

function Groups({ found, search, onOrder }: GroupsProps) {
  const { t } = useWords();
  const words = (search.q ?? "").toLowerCase();
  const shown = found.items.filter(({ type, place, message, services }) =>
    [type, place, message, ...services.map(({ service }) => service)].some((said) =>
      said.toLowerCase().includes(words),
    ),
  );
  const { rest } = found;
  return (
    <GroupsPanel
      title={t("errors.groups", { count: shown.length })}
      found={found.items.length}
      shown={shown.length}
      words={search.q ?? ""}
      none={<Empty title={t("errors.none")} />}
    >
      <ErrorGroupTable
        groups={shown}
        service={search.service}
        sort={`-${search.order}`}
        onSort={(sort) => onOrder(ERROR_ORDERS.find((order) => sort.endsWith(order)) ?? "times")}
        foot={rest.groups > 0 && t("errors.rest", { groups: text(count(rest.groups)), times: text(count(rest.times)) })}
      />
    </GroupsPanel>
  );
}
