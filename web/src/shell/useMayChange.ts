import { useQuery } from "@tanstack/react-query";

import { sessionQuery } from "../api/queries";

/** Viewers look and change nothing. */
export function useMayChange(): boolean {
  const session = useQuery(sessionQuery);
  return session.data !== undefined && session.data.role !== "viewer";
}
