/** What was said about sampling, kept until the fixture ends. */

import type { Sampling, SamplingWish } from "../src/api/types";

const said = new Map<string, Sampling>([
  [
    "/apps/shop/services/orders/sampling",
    {
      app: "shop",
      service: "orders",
      sampling_rate: 10,
      slow_ms: 300,
      sampling_follows_parent: null,
      changed_at: "2025-11-20T11:40:00Z",
      changed_by: "user:ada",
    },
  ],
]);

/** Undefined: that is no address of a service's sampling. */
export function samplingAt(path: string): Sampling | undefined {
  const [, app, service] = path.match(/^\/apps\/([^/]+)\/services\/([^/]+)\/sampling$/) ?? [];
  if (!app || !service) return undefined;
  return (
    said.get(path) ?? {
      app: decodeURIComponent(app),
      service: decodeURIComponent(service),
      sampling_rate: null,
      slow_ms: null,
      sampling_follows_parent: null,
      changed_at: null,
      changed_by: null,
    }
  );
}

export function saySampling(path: string, before: Sampling, wish: SamplingWish, user: string, now: number): Sampling {
  const next = { ...before, ...wish, changed_at: new Date(now).toISOString(), changed_by: `user:${user}` };
  said.set(path, next);
  return next;
}

export const unsaySampling = (path: string) => said.delete(path);
