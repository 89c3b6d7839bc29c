import { Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";

import { comparisonQuery } from "../../api/traces";
import type { ComparedTrace, Comparison } from "../../api/tracesTypes";
import { duration, moment, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { TableSkeleton } from "../../parts/Skeletons";
import { Page } from "../../shell/Page";
import classes from "./ComparePage.module.css";
import { OperationTable } from "./OperationTable";
import { SpanTable } from "./SpanTable";

const route = getRouteApi("/in/traces/$traceId/compare/$other");

/** Two requests beside each other: what is slower, missing or new. */
export default function ComparePage() {
  const { t } = useWords();
  const { traceId, other } = route.useParams();
  const comparison = useQuery(comparisonQuery(traceId, other));
  return (
    <Page
      title={t("beside.title")}
      heading={
        <Breadcrumb
          parent={
            <Link to="/traces/$traceId" params={{ traceId }} className="link">
              {t("trace")}
            </Link>
          }
          name={t("beside.title")}
        />
      }
    >
      <Loaded
        query={comparison}
        skeleton={<TableSkeleton />}
        gone={{ title: t("beside.notFound"), hint: t("trace.gone.hint") }}
      >
        {(data) => <Shown comparison={data} />}
      </Loaded>
    </Page>
  );
}

function Shown({ comparison }: { comparison: Comparison }) {
  const { t } = useWords();
  const { a, b } = comparison;
  const { changed = false } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <div className={classes.heads}>
        <Head letter="A" trace={a} />
        <Head letter="B" trace={b} beside={a} />
        <Link
          to="/traces/$traceId/compare/$other"
          params={{ traceId: b.trace_id, other: a.trace_id }}
          className="link"
          preload={false}
        >
          {t("beside.swap")}
        </Link>
      </div>
      {!comparison.same_endpoint && (
        <p className={classes.note}>
          <HealthMark health="warn" size={10} /> {t("beside.otherEndpoint")}
        </p>
      )}
      {comparison.truncated && (
        <p className={classes.note}>
          <HealthMark health="warn" size={10} /> {t("trace.truncated")}
        </p>
      )}
      <Panel title={t("beside.operations")} flush>
        <OperationTable operations={comparison.operations} longest_ms={Math.max(a.duration_ms, b.duration_ms)} />
      </Panel>
      <Panel
        title={t("beside.spans")}
        flush
        aside={
          <Switch
            size="xs"
            label={t("beside.changedOnly")}
            checked={changed}
            onChange={(event) =>
              navigate({ search: { changed: event.currentTarget.checked || undefined }, replace: true })
            }
          />
        }
      >
        <SpanTable comparison={comparison} changedOnly={changed} />
      </Panel>
    </>
  );
}

function Head({ letter, trace, beside }: { letter: string; trace: ComparedTrace; beside?: ComparedTrace }) {
  const { t } = useWords();
  const difference = beside && trace.duration_ms - beside.duration_ms;
  return (
    <div className={classes.headOf}>
      <span className={classes.letter} data-side={letter}>
        {letter}
      </span>
      <div className={classes.what}>
        <Link to="/traces/$traceId" params={{ traceId: trace.trace_id }} className="link ellipsis" preload={false}>
          {trace.service} · {trace.endpoint}
        </Link>
        <div className="muted">
          <strong className={classes.takes}>{text(duration(trace.duration_ms))}</strong>
          {difference !== undefined && (
            <span style={difference > 0 ? { color: "var(--s-error)" } : undefined}>
              {difference > 0 ? "+" : difference < 0 ? "−" : "±"}
              {text(duration(Math.abs(difference)))}
            </span>
          )}
          <span>{t("trace.spans", { count: trace.spans })}</span>
          {trace.errors > 0 && (
            <span>
              <HealthMark health="error" size={10} /> {t("trace.errors", { count: trace.errors })}
            </span>
          )}
          <span>{moment(trace.start_time)}</span>
        </div>
      </div>
    </div>
  );
}
