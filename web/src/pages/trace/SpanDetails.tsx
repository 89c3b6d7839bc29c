import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Span, SpanEvent } from "../../api/types";
import { duration, moment, type Quantity, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { CopyButton } from "../../parts/CopyButton";
import { HealthMark } from "../../parts/HealthMark";
import { StatusCode } from "../../parts/StatusCode";
import { TEST_IDS } from "../../testIds";
import classes from "./SpanDetails.module.css";

interface Props {
  span: Span;
  /** How long the request waited for it. */
  critical_ms: number;
  traceId: string;
  colour: string | undefined;
  onClose: () => void;
}

/** Everything a span knows. */
export function SpanDetails({ span, critical_ms, traceId, colour, onClose }: Props) {
  const { t } = useWords();
  const attributes = Object.entries(span.attributes).sort(([a], [b]) => a.localeCompare(b));
  return (
    <aside className={classes.details} data-testid={TEST_IDS.spanDetails} aria-label={span.name}>
      <div className={classes.head}>
        <h2 className={classes.name}>
          {span.error && <HealthMark health="error" />} {span.name}
        </h2>
        <ActionIcon variant="subtle" color="gray" size="sm" onClick={onClose} aria-label={t("close")}>
          <IconX size={15} />
        </ActionIcon>
      </div>
      <div className={classes.where}>
        <span className={classes.swatch} style={{ background: colour }} />
        <Link
          to="/services/$service"
          params={{ service: span.service }}
          search={{ app: span.app }}
          className="link"
          preload={false}
        >
          {span.service}
        </Link>
        <span>· {t(`kind.${span.kind}`)}</span>
        {span.status_code > 0 && (
          <span>
            · <StatusCode code={span.status_code} />
          </span>
        )}
      </div>
      {span.error && span.status_message && <p className={classes.message}>{span.status_message}</p>}
      <dl className={classes.figures}>
        <One label={t("span.duration")} of={duration(span.duration_ms)} />
        <One label={t("span.self")} of={duration(span.self_ms)} />
        <One label={t("span.critical")} of={duration(critical_ms)} />
        <One label={t("span.start")} of={duration(span.offset_ms)} />
      </dl>
      {span.statement && (
        <Section title={t("span.statement")} aside={<CopyButton text={span.statement} what={t("span.statement")} />}>
          <pre className={classes.code}>{span.statement}</pre>
        </Section>
      )}
      {span.events.length > 0 && (
        <Section title={t("span.events", { count: span.events.length })}>
          {span.events.map((event, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no id and never change places
            <Event key={index} event={event} />
          ))}
        </Section>
      )}
      <Section title={t("span.attributes", { count: attributes.length })}>
        <table className={classes.attributes}>
          <tbody>
            {attributes.map(([key, value]) => (
              <tr key={key}>
                <th scope="row">
                  <Link
                    to="/traces"
                    search={{
                      attribute: [`${key}=${value}`],
                      any_span:
                        span.kind === "server" || span.kind === "consumer" || !span.parent_id ? undefined : true,
                    }}
                    title={t("span.findSame")}
                    preload={false}
                  >
                    {key}
                  </Link>
                </th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      {span.links.length > 0 && (
        <Section title={t("span.links")}>
          {span.links.map((link) => (
            <Link
              key={link.trace_id + link.span_id}
              to="/traces/$traceId"
              params={{ traceId: link.trace_id }}
              search={{ span: link.span_id }}
              className={`link mono ${classes.linked}`}
            >
              {link.trace_id}
            </Link>
          ))}
        </Section>
      )}
      <Section title={t("span.ids")}>
        <Id label={t("span.id")} value={span.span_id} />
        <Id label={t("span.parent")} value={span.parent_id} />
        <Id label={t("trace.id")} value={traceId} />
        <Id label={t("instance")} value={span.instance} />
        <Id label={t("time")} value={moment(span.start_time)} />
      </Section>
    </aside>
  );
}

function One({ label, of }: { label: string; of: Quantity }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <Amount of={of} />
      </dd>
    </div>
  );
}

function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h3 className={classes.title}>
        {title}
        {aside}
      </h3>
      {children}
    </section>
  );
}

function Event({ event }: { event: SpanEvent }) {
  const { t } = useWords();
  const {
    "exception.stacktrace": stack,
    "exception.type": type,
    "exception.message": message,
    ...rest
  } = event.attributes;
  const failed = event.name === "exception";
  return (
    <div className={classes.event} data-error={failed || undefined}>
      <div className={classes.eventHead}>
        <strong>{type ?? event.name}</strong>
        <span className="muted">+{text(duration(event.offset_ms))}</span>
      </div>
      {message && <div>{message}</div>}
      {Object.entries(rest).map(([key, value]) => (
        <div key={key} className="muted">
          {key} = {value}
        </div>
      ))}
      {stack && (
        <>
          <pre className={classes.code}>{stack}</pre>
          <CopyButton text={stack} what={t("span.stack")} />
        </>
      )}
    </div>
  );
}

function Id({ label, value }: { label: string; value: string }) {
  if (!value) return null;
  return (
    <div className={classes.id}>
      <span className="muted">{label}</span>
      <span className="ellipsis mono" title={value}>
        {value}
      </span>
      <CopyButton text={value} what={label} />
    </div>
  );
}
