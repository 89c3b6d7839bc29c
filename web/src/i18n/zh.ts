import type { Key } from "./en";
import { alarms } from "./zh/alarms";
import { common } from "./zh/common";
import { compare } from "./zh/compare";
import { connect } from "./zh/connect";
import { dashboards } from "./zh/dashboards";
import { errors } from "./zh/errors";
import { help } from "./zh/help";
import { live } from "./zh/live";
import { map } from "./zh/map";
import { nodejs } from "./zh/nodejs";
import { nodes } from "./zh/nodes";
import { results } from "./zh/results";
import { services } from "./zh/services";
import { slow } from "./zh/slow";
import { statistics } from "./zh/statistics";
import { tokens } from "./zh/tokens";
import { tools } from "./zh/tools";
import { traces } from "./zh/traces";

/** 简体中文 */
export const zh: Record<Key, string> = {
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
};
