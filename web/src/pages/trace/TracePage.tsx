import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { traceQuery } from "../../api/queries";
import type { Trace } from "../../api/types";
import { count, duration, moment, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Breadcrumb } from "../../parts/Breadcrumb";
import { CopyButton } from "../../parts/CopyButton";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { TableSkeleton } from "../../parts/Skeletons";
import { criticalMs } from "../../parts/waterfall/criticalPath";
import type { BarScale } from "../../parts/waterfall/timeScale";
import { Waterfall } from "../../parts/waterfall/Waterfall";
import { Page } from "../../shell/Page";
import { coloursByName } from "../../theme/palette";
import { usePalette } from "../../theme/theme";
import { CompareMenu } from "./CompareMenu";
import { Moments } from "./Moments";
import { SpanDetails } from "./SpanDetails";
import { TraceFindings } from "./TraceFindings";
import classes from "./TracePage.module.css";
import { TraceRuns } from "./TraceRuns";

const route = getRouteApi("/in/traces/$traceId");

/** One request through all services. */
export default function TracePage() {
  const { t } = useWords();
  const { traceId } = route.useParams();
  const trace = useQuery(traceQuery(traceId));
  const root = trace.data?.spans[0];
  return (
    <Page
      title={root ? root.name : t("trace")}
      fill
      heading={
        <Breadcrumb
          parent={
            <Link to="/traces" className="link">
              {t("nav.traces")}
            </Link>
          }
          mark={trace.data && <HealthMark health={trace.data.errors ? "error" : "ok"} />}
          name={root ? root.name : traceId}
        />
      }
    >
      <Loaded query={trace} skeleton={<TableSkeleton />} gone={{ title: t("trace.gone"), hint: t("trace.gone.hint") }}>
        {(data) => <TraceView trace={data} />}
      </Loaded>
    </Page>
  );
}

function TraceView({ trace }: { trace: Trace }) {
  const { t } = useWords();
  const palette = usePalette();
  const [scale, setScale] = useState<BarScale>();
  const { span: selected, q = "", path = false } = route.useSearch();
  const navigate = route.useNavigate();
  const colourOf = useMemo(() => coloursByName(trace.services, palette), [trace.services, palette]);
  const span = useMemo(() => trace.spans.find(({ span_id }) => span_id === selected), [trace, selected]);
  const change = (next: { span?: string; q?: string; path?: true }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  return (
    <>
      <div className={classes.summary}>
        <span className={classes.id}>
          <span className="mono">{trace.trace_id}</span>
          <CopyButton text={trace.trace_id} what={t("trace.id")} />
        </span>
        <span>{moment(trace.start_time)}</span>
        <strong>{text(duration(trace.duration_ms))}</strong>
        <span>{t("trace.spans", { count: text(count(trace.spans.length)) })}</span>
        {trace.errors > 0 && (
          <span className={classes.errors}>
            <HealthMark health="error" size={10} /> {t("trace.errors", { count: trace.errors })}
          </span>
        )}
        {trace.truncated && (
          <span className={classes.truncated}>
            <HealthMark health="warn" size={10} /> {t("trace.truncated")}
          </span>
        )}
        <TraceRuns trace={trace} />
        <CompareMenu trace={trace} />
        <span className={classes.services}>
          {trace.services.map((service) => (
            <Link
              key={service}
              to="/services/$service"
              params={{ service }}
              className={classes.service}
              preload={false}
            >
              <span className={classes.swatch} style={{ background: colourOf.get(service) }} />
              {service}
            </Link>
          ))}
        </span>
      </div>
      <TraceFindings traceId={trace.trace_id} onSelect={(id) => change({ span: id })} />
      <Moments traceId={trace.trace_id} onSelect={(id) => change({ span: id })} scale={scale} />
      <Waterfall
        key={trace.trace_id}
        trace={trace}
        onScale={setScale}
        colourOf={colourOf}
        selected={selected}
        onSelect={(id) => change({ span: id })}
        search={q}
        onSearch={(words) => change({ q: words || undefined })}
        onlyCritical={path}
        onOnlyCritical={(only) => change({ path: only || undefined })}
      >
        {span && (
          <SpanDetails
            span={span}
            critical_ms={criticalMs(trace.critical_path, trace.spans.indexOf(span))}
            traceId={trace.trace_id}
            colour={colourOf.get(span.service)}
            onClose={() => change({ span: undefined })}
          />
        )}
      </Waterfall>
    </>
  );
}
