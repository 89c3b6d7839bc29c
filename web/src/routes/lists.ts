/** What every table keeps in its address. */

import { readText } from "../domain/search";

export interface ListSearch {
  /** `p95` upwards, `-p95` downwards. */
  sort?: string;
  /** What the names must contain. */
  q?: string;
}

export const readListSearch = (search: Record<string, unknown>): ListSearch => ({
  sort: readText(search.sort),
  q: readText(search.q),
});
