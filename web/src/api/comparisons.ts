/** Two runs of a tool beside each other. */

import { queryOptions } from "@tanstack/react-query";
import type { JobComparison } from "./comparisonsTypes";
import { addressOf } from "./endpoints";
import { request } from "./http";

const part = encodeURIComponent;

/** What changed from the run `before` to the run `job`; neither changes once it has ended. */
export const comparisonQuery = (job: string, before: string) =>
  queryOptions({
    queryKey: ["comparison", job, before],
    queryFn: ({ signal }) =>
      request<JobComparison>(addressOf(`/jobs/${part(job)}/compare/${part(before)}`), { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
