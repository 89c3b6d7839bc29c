/** What a call on the map says when both its ends are looked at. */

import type { MapEdge } from "../api/types";

/** Less is the noise of two clocks, and worth nobody's time. */
const LEAST_WAIT_MS = 1;
const LEAST_SHARE = 0.3;

/** Whether a good part of what the caller waits for is not the callee's work: the network, or a queue before it. */
export function disagrees({ other_end }: Pick<MapEdge, "other_end">): boolean {
  if (!other_end || other_end.waiting_share === null) return false;
  return other_end.waiting_share >= LEAST_SHARE && other_end.waiting_ms >= LEAST_WAIT_MS;
}
