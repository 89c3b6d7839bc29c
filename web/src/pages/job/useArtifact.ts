import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { artifactQuery } from "../../api/queries";
import type { Loaded } from "../../parts/Loaded";
import { BadProfile } from "../../parts/profile/profile";

/** What `Loaded` shows. */
export type Readable<T> = Parameters<typeof Loaded<T>>[0]["query"];

/**
 * A run's file, fetched and read. `read` must be the same function each time; a BadProfile that it raises becomes the
 * failure of the query, for the page to show.
 */
export function useArtifact<File, T>(job: string | undefined, name: string, read: (file: File) => T): Readable<T> {
  const fetched = useQuery({ ...artifactQuery<File>(job ?? "", name), enabled: job !== undefined });
  const made = useMemo<{ data?: T; error?: BadProfile }>(() => {
    if (fetched.data === undefined) return {};
    try {
      return { data: read(fetched.data) };
    } catch (error) {
      if (error instanceof BadProfile) return { error };
      throw error;
    }
  }, [fetched.data, read]);
  return { data: made.data, error: made.error ?? fetched.error, refetch: fetched.refetch } as Readable<T>;
}
