/** The live view's stream. */

import { addressOf } from "./endpoints";

export interface LiveFilter {
  service?: string;
  endpoint?: string;
  min_ms?: number;
  /** Failed requests only. */
  error?: true;
  /** Words in a name, an id or the status. */
  q?: string;
}

/** Server-sent events: `whole`, then `change` at least each second; `trouble`, `end`. */
export const liveStreamAddress = (filter: LiveFilter) => addressOf("/live/stream", { ...filter });
