/** English, a file for each part of the console. `{count}` is a value, `{count|one|many}` the word that goes with it. */
import { alarms } from "./en/alarms";
import { common } from "./en/common";
import { compare } from "./en/compare";
import { connect } from "./en/connect";
import { dashboards } from "./en/dashboards";
import { errors } from "./en/errors";
import { help } from "./en/help";
import { live } from "./en/live";
import { map } from "./en/map";
import { nodejs } from "./en/nodejs";
import { nodes } from "./en/nodes";
import { results } from "./en/results";
import { services } from "./en/services";
import { slow } from "./en/slow";
import { statistics } from "./en/statistics";
import { tokens } from "./en/tokens";
import { tools } from "./en/tools";
import { traces } from "./en/traces";

export const en = {
  ...common,
  ...services,
  ...traces,
  ...live,
  ...map,
  ...nodes,
  ...tools,
  ...results,
  ...nodejs,
  ...compare,
  ...statistics,
  ...slow,
  ...errors,
  ...dashboards,
  ...alarms,
  ...connect,
  ...tokens,
  ...help,
} as const;

export type Key = keyof typeof en;
