/** Dashboards, as the API has them. */

export interface PromqlQuery {
  kind: "promql";
  query: string;
  legend: string;
}

export interface ServiceQuery {
  kind: "service";
  service: string;
  figure: string;
}

export interface HostQuery {
  kind: "host";
  host: string;
  figure: string;
}

export interface ServicesQuery {
  kind: "services";
}

export interface HostsQuery {
  kind: "hosts";
}

export type PanelQuery = PromqlQuery | ServiceQuery | HostQuery | ServicesQuery | HostsQuery;
export type PanelKind = "timeseries" | "number" | "table" | "text";
export type PanelUnit = "" | "ms" | "s" | "bytes" | "bytes/s" | "per_s" | "ratio";

/** Its place in columns and rows, from the upper left. */
export interface Panel {
  id: string;
  title: string;
  kind: PanelKind;
  x: number;
  y: number;
  w: number;
  h: number;
  unit: PanelUnit;
  queries: PanelQuery[];
  text: string;
}

export interface Variable {
  name: string;
  kind: "service" | "host" | "text";
  default: string;
}

export interface DashboardDocument {
  schema_version: 1;
  title: string;
  description: string;
  variables: Variable[];
  panels: Panel[];
}

/** `app` is null for those that come with Sonde. */
export interface DashboardRow {
  id: string;
  app: string | null;
  title: string;
  description: string;
  panels: number;
  version: number;
  changed_at: string | null;
  changed_by: string;
}

export interface Dashboard extends DashboardRow {
  document: DashboardDocument;
}

export interface PanelSeries {
  name: string;
  /** Epoch milliseconds and value. */
  points: [number, number | null][];
}

export interface PanelData {
  series: PanelSeries[];
  columns: string[];
  rows: (string | number | null)[][];
  left_out: number;
  problem: string;
}

export interface Share {
  id: string;
  dashboard: string;
  values: Record<string, string>;
  created_at: string;
  created_by: string;
  expires_at: string | null;
}

export interface NewShare extends Share {
  token: string;
}

export interface SharedDashboard {
  document: DashboardDocument;
  values: Record<string, string>;
  expires_at: string | null;
}
