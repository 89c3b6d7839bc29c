import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsContentQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import type { Readable } from "../../parts/Loaded";
import { BadProfile } from "../../parts/profile/profile";

/**
 * A stored file, fetched and read. `read` must be the same function each time; a BadProfile that it raises becomes the
 * failure of the query, for the page to show.
 */
export function useContent<Content, T>(file: NodejsFile | undefined, read: (content: Content) => T): Readable<T> {
  const fetched = useQuery({
    ...nodejsContentQuery<Content>(file?.id ?? 0, file?.stored_at ?? null),
    enabled: file !== undefined,
  });
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
