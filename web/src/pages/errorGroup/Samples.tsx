import { Link } from "@tanstack/react-router";

import type { ErrorSample } from "../../api/errorsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { CopyButton } from "../../parts/CopyButton";
import { Empty } from "../../parts/Empty";
import { Panel } from "../../parts/Panel";
import { TEST_IDS } from "../../testIds";
import classes from "./ErrorGroupPage.module.css";

/** The latest failures, the first one opened: what was said, the stack, and the way to the trace. */
export function Samples({ samples }: { samples: readonly ErrorSample[] }) {
  const { t } = useWords();
  return (
    <Panel title={t("errors.samples")} flush testId={TEST_IDS.errorSamples}>
      {samples.length === 0 && <Empty title={t("errors.noSamples")} />}
      {samples.map((sample, index) => (
        <details key={sample.trace_id + sample.span_id} className={classes.sample} open={index === 0}>
          <summary>
            <Link
              to="/traces/$traceId"
              params={{ traceId: sample.trace_id }}
              search={{ span: sample.span_id }}
              className="link"
              preload={false}
            >
              {moment(sample.time)}
            </Link>
            <span className={`muted ${classes.where}`}>{[sample.service, sample.endpoint].join(" · ")}</span>
            <span className={classes.what}>{sample.message || sample.type}</span>
          </summary>
          {sample.stack && (
            <>
              <pre className={classes.stack}>{sample.stack}</pre>
              <CopyButton text={sample.stack} what={t("errors.stack")} />
            </>
          )}
        </details>
      ))}
    </Panel>
  );
}
