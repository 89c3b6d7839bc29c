/** Errors by type and place. Mirrors `src/sonde/server/reports/errors.py` and `deploys.py` field by field. */

export interface DeployMark {
  app: string;
  service: string;
  kind: "deploy" | "restart";
  time: string;
  version: string;
  /** The version before a deploy; empty where it is not known. */
  previous: string;
  /** How many started. */
  processes: number;
}

export interface FailingService {
  app: string;
  service: string;
  times: number;
}

export interface ErrorRow {
  id: string;
  type: string;
  place: string;
  has_stack: boolean;
  message: string;
  /** Requests in which it happened. */
  times: number;
  first_seen: string;
  last_seen: string;
  services: FailingService[];
  endpoints: number;
  instances: number;
  new_since: DeployMark | null;
  series: number[];
  trace_id: string;
  span_id: string;
}

export interface RestOfErrors {
  groups: number;
  times: number;
}

export interface ErrorPage {
  items: ErrorRow[];
  next: string | null;
  from: string;
  to: string;
  step_s: number;
  rest: RestOfErrors;
}

export interface ErrorPoint {
  time: string;
  times: number;
}

export interface ErrorPlace {
  app: string;
  service: string;
  name: string;
  times: number;
  last_seen: string;
}

export interface ErrorMessage {
  message: string;
  times: number;
}

export interface ErrorSample {
  trace_id: string;
  span_id: string;
  app: string;
  service: string;
  instance: string;
  endpoint: string;
  time: string;
  type: string;
  message: string;
  stack: string;
}

export interface ErrorReport {
  from: string;
  to: string;
  step_s: number;
  group: ErrorRow;
  series: ErrorPoint[];
  endpoints: ErrorPlace[];
  instances: ErrorPlace[];
  messages: ErrorMessage[];
  deploys: DeployMark[];
  samples: ErrorSample[];
}
