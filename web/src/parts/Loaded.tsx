import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { useWords } from "../i18n";
import { Failure } from "./Failure";
import { HealthMark } from "./HealthMark";
import classes from "./Loaded.module.css";

/** As much of a query as is shown. */
export type Readable<T> = Pick<UseQueryResult<T>, "data" | "error" | "refetch">;

interface Props<T> {
  query: Readable<T>;
  /** Shown until the first answer: the shape of what will come. */
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/** Skeleton, failure or content. Content that failed to refresh stays, with a word about it. */
export function Loaded<T>({ query: { data, error, refetch }, skeleton, children }: Props<T>) {
  const { t } = useWords();
  if (data !== undefined) {
    return (
      <>
        {error && (
          <div className={classes.stale} role="status">
            <HealthMark health="warn" /> {t("failure.stale")} <span className="muted">{error.message}</span>
            <button type="button" className={classes.again} onClick={() => refetch()}>
              {t("failure.retry")}
            </button>
          </div>
        )}
        {children(data)}
      </>
    );
  }
  if (error) return <Failure error={error} onRetry={() => refetch()} />;
  return (
    <div aria-busy="true">
      <span className="visually-hidden" role="status">
        {t("loading")}
      </span>
      {skeleton}
    </div>
  );
}
