import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ApiError } from "../api/http";
import { useWords } from "../i18n";
import { Empty } from "./Empty";
import { Failure } from "./Failure";
import { HealthMark } from "./HealthMark";
import classes from "./Loaded.module.css";
import { Panel } from "./Panel";
import { SlowNote } from "./SlowNote";

/** As much of a query as is shown. */
export type Readable<T> = Pick<UseQueryResult<T>, "data" | "error" | "refetch">;

interface Props<T> {
  query: Readable<T>;
  /** Shown until the first answer: the shape of what will come. */
  skeleton: ReactNode;
  /** What to say where the server knows of no such thing: a title, and what to do about it. */
  gone?: { title: string; hint: string };
  children: (data: T) => ReactNode;
}

/** Skeleton, failure, a word that there is no such thing, or content. Content that failed to refresh stays, with a word about it. */
export function Loaded<T>({ query: { data, error, refetch }, skeleton, gone, children }: Props<T>) {
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
  if (error instanceof ApiError && error.status === 404) {
    return (
      <Panel>
        <Empty title={gone?.title ?? t("failure.gone")}>{gone?.hint ?? t("failure.gone.hint")}</Empty>
      </Panel>
    );
  }
  if (error) return <Failure error={error} onRetry={() => refetch()} />;
  return (
    <div aria-busy="true">
      <span className="visually-hidden" role="status">
        {t("loading")}
      </span>
      <SlowNote />
      {skeleton}
    </div>
  );
}
