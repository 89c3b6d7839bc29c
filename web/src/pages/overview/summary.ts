/** All services in one line. */

import type { Service } from "../../api/types";
import { HEALTH_ORDER, healthOf } from "../../domain/health";

export interface Summary {
  services: number;
  failing: number;
  warned: number;
  requests_per_s: number;
  success_rate: number | null;
  instances: number;
}

export function summaryOf(services: readonly Service[]): Summary {
  const healths = services.map(healthOf);
  const requests = services.reduce((sum, service) => sum + service.requests, 0);
  const errors = services.reduce((sum, service) => sum + service.errors, 0);
  return {
    services: services.length,
    failing: healths.filter((health) => health === "error").length,
    warned: healths.filter((health) => health === "warn").length,
    requests_per_s: services.reduce((sum, service) => sum + service.requests_per_s, 0),
    success_rate: requests ? 1 - errors / requests : null,
    instances: services.reduce((sum, service) => sum + service.instances, 0),
  };
}

/** Worst first, and of equals the busiest first: one number, so that a column can sort by it. */
export function urgency(service: Service): number {
  return HEALTH_ORDER[healthOf(service)] * 1e9 - Math.min(service.requests_per_s, 1e9 - 1);
}

export const named = <T extends { service: string }>(services: readonly T[], words: string | undefined): T[] =>
  services.filter(({ service }) => service.toLowerCase().includes((words ?? "").toLowerCase()));
