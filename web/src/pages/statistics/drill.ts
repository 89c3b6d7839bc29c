/** Where a row of a report leads: one level down, and to the traces behind it. */

import type { StatisticsFilter, StatisticsOrder } from "../../api/statistics";
import { STATISTICS_ORDERS } from "../../api/statistics";
import type { By, StatisticsRow } from "../../api/statisticsTypes";
import type { TracesSearch } from "../../routes/traces";

/** Rows that are calls: the server keeps them by who calls whom, and by nothing finer. */
const CALLS: readonly By[] = ["caller", "callee", "peer"];

/** Filters that the levels of the way set, from the widest to the narrowest. */
export const LEVELS = ["app", "service", "endpoint", "instance", "kind", "status"] as const;

export const isOfCalls = (by: By) => CALLS.includes(by);

/** Whether the server answers rows of this sort under these filters. */
export const fits = (by: By, { endpoint, instance, status }: StatisticsFilter) =>
  !isOfCalls(by) || !(endpoint || instance || status);

/** The server's order for a column of the table; columns it does not know are not offered. */
export function orderOf(sort: string): StatisticsOrder {
  const column = sort.replace(/^-/, "");
  if (column === "success") return "error_rate";
  return STATISTICS_ORDERS.find((order) => order === column) ?? "requests";
}

export function nameOf(row: StatisticsRow, by: By): string {
  switch (by) {
    case "status":
      return row.status_code === null ? "" : String(row.status_code);
    case "client_address":
    case "server_address":
      return row.address ?? "";
    case "caller":
    case "callee":
    case "peer":
      return row.peer ?? "";
    default:
      return row[by] ?? "";
  }
}

/** The report one level down; undefined where there is none, and the traces are next. */
export function below(
  row: StatisticsRow,
  by: By,
  filter: StatisticsFilter,
): (StatisticsFilter & { by: By }) | undefined {
  const app = row.app || filter.app;
  const service = row.service ?? filter.service;
  switch (by) {
    case "service":
      return { ...filter, app, service, by: "endpoint" };
    case "endpoint":
      return { ...filter, app, service, endpoint: row.endpoint ?? undefined, by: "instance" };
    case "instance":
      return filter.endpoint
        ? { ...filter, app, service, instance: row.instance ?? undefined, by: "status" }
        : { ...filter, app, service, instance: row.instance ?? undefined, by: "endpoint" };
    case "kind":
      return { ...filter, app, kind: row.kind ?? undefined, by: filter.service ? "endpoint" : "service" };
    case "status":
      if (row.status_code === null || filter.status === String(row.status_code)) return undefined;
      return { ...filter, app, status: String(row.status_code), by: filter.service ? "endpoint" : "service" };
    case "caller":
      return row.peer_type === "service" ? { app, service: row.peer ?? undefined, by: "callee" } : undefined;
    case "callee":
      return row.peer_type === "service" ? { app, service: row.peer ?? undefined, by: "endpoint" } : undefined;
    default:
      return undefined;
  }
}

/** Whether the row is calls between two services: spans do not say by name whom they called, so requests stand for them. */
export const isBetweenServices = (row: StatisticsRow, by: By) => isOfCalls(by) && row.peer_type === "service";

/** A search that finds the requests, or the calls, of a row. Of calls between services: requests of the one that is called. */
export function tracesOf(row: StatisticsRow, by: By, filter: StatisticsFilter): TracesSearch {
  const service = row.service ?? filter.service;
  const found: TracesSearch = {
    app: row.app || filter.app,
    service,
    endpoint: row.endpoint ?? filter.endpoint,
    instance: row.instance ?? filter.instance,
    status: row.status_code ? String(row.status_code) : filter.status,
  };
  switch (by) {
    case "caller":
      return { app: found.app, service };
    case "callee":
    case "peer":
      if (isBetweenServices(row, by)) return { app: found.app, service: row.peer ?? undefined };
      return { app: found.app, service, peer: row.peer ?? undefined, any_span: true };
    case "client_address":
      return { ...found, attribute: row.address ? `client.address=${row.address}` : undefined };
    case "server_address":
      return { ...found, attribute: row.address ? `server.address=${row.address}` : undefined };
    case "host":
      return { ...found, attribute: row.host ? `host.name=${row.host}` : undefined };
    default:
      return found;
  }
}
