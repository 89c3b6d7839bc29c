import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { jobStreamAddress } from "./endpoints";
import { hasEnded, jobQuery } from "./queries";
import type { Job } from "./types";

/** A job as it goes on: told by the server at each change, asked for each second where a proxy lets no stream through. */
export function useJob(id: string): UseQueryResult<Job> {
  const queryClient = useQueryClient();
  const [streamed, setStreamed] = useState(false);
  const job = useQuery(jobQuery(id, streamed));
  const running = job.data !== undefined && !hasEnded(job.data);
  useEffect(() => {
    if (!running) return;
    const stream = new EventSource(jobStreamAddress(id));
    stream.addEventListener("open", () => setStreamed(true));
    stream.addEventListener("job", (event: MessageEvent<string>) => {
      const told = JSON.parse(event.data) as Job;
      queryClient.setQueryData(jobQuery(id).queryKey, told);
      // the server ends the stream with the job: a browser would call that a failure and come back
      if (hasEnded(told)) stream.close();
    });
    stream.addEventListener("error", () => setStreamed(false));
    return () => {
      stream.close();
      setStreamed(false);
    };
  }, [id, running, queryClient]);
  return job;
}
