import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";

import { Failure } from "../parts/Failure";

/** When the server cannot even say who we are: nothing else would work either. */
export function PageFailure({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Failure error={error instanceof Error ? error : new Error(String(error))} onRetry={() => router.invalidate()} />
  );
}
