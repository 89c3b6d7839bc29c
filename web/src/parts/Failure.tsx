import { Button } from "@mantine/core";

import { ApiError } from "../api/http";
import { useWords } from "../i18n";
import { TEST_IDS } from "../testIds";
import { HealthMark } from "./HealthMark";
import classes from "./Notice.module.css";

interface Props {
  error: Error;
  onRetry?: () => void;
}

/** A request failed: what happened, in the server's words, and a way to try again. */
export function Failure({ error, onRetry }: Props) {
  const { t } = useWords();
  const status = error instanceof ApiError ? error.status : undefined;
  const unreachable = status === 0;
  const refused = status !== undefined && status >= 400 && status < 500;
  return (
    <div className={classes.notice} role="alert" data-testid={TEST_IDS.failure}>
      <p className={classes.title}>
        <HealthMark health="error" />{" "}
        {t(unreachable ? "failure.unreachable" : refused ? "failure.refused" : "failure.title")}
      </p>
      <p className={classes.text}>
        {unreachable ? t("failure.unreachable.hint") : error.message}
        {error instanceof ApiError && error.status > 0 && (
          <span className={classes.code}>
            {error.status} {error.code}
          </span>
        )}
      </p>
      {onRetry && (
        <Button size="xs" variant="default" onClick={onRetry} data-testid={TEST_IDS.retry}>
          {t("failure.retry")}
        </Button>
      )}
    </div>
  );
}
