/** What to write where, for each kind of client. The table is JSON so that a test runs the very lines the page shows. */

import type { ConnectPorts } from "../../api/types";
import table from "./recipes.json";

export interface Step {
  /** Key of the words above it: `connect.say.…`. */
  say: string;
  kind: string;
  text: string;
}

export interface Recipe {
  /** Key of its title: `connect.recipe.…`. */
  id: string;
  group: string;
  /** A port of the server, or `main`: the one of the console. */
  protocol: string;
  steps: Step[];
}

export const RECIPES: readonly Recipe[] = table;
export const GROUPS: readonly string[] = [...new Set(RECIPES.map(({ group }) => group))];

export interface Credentials {
  app: string;
  token: string;
  secret: string;
}

/** What stands in for credentials that nobody has made yet. */
export const NOBODY: Credentials = { app: "APP_ID", token: "APP_TOKEN", secret: "APP_SECRET" };

export type PortName = "otlp_http" | "otlp_grpc" | "skywalking_grpc" | "skywalking_http" | "xtransit";

/** The port that a recipe needs and the server does not have; null where nothing is missing. */
export function missingPort(recipe: Recipe, ports: ConnectPorts): PortName | null {
  if (recipe.protocol === "main") return null;
  const name = recipe.protocol as PortName;
  return ports[name] === null ? name : null;
}

/** A step's lines with this server's addresses and the app's credentials. `origin` is how the reader reaches the console. */
export function filled(text: string, origin: string, ports: ConnectPorts, credentials: Credentials): string {
  const values: Record<string, string> = {
    server: origin,
    host: new URL(origin).hostname,
    ...credentials,
    otlp_grpc: String(ports.otlp_grpc),
    skywalking_grpc: String(ports.skywalking_grpc),
    skywalking_http: String(ports.skywalking_http),
    xtransit: String(ports.xtransit),
  };
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
