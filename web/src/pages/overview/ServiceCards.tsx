import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Service } from "../../api/types";
import { duration, percent, plain, type Quantity, rate, text } from "../../domain/format";
import { healthOf } from "../../domain/health";
import { errorRatesOf, ratesOf } from "../../domain/series";
import { useWords } from "../../i18n";
import { Amount } from "../../parts/Amount";
import { HealthMark } from "../../parts/HealthMark";
import { Name } from "../../parts/Name";
import { Sparkline } from "../../parts/Sparkline";
import { readSort, sorted } from "../../parts/tableOrder";
import classes from "./ServiceCards.module.css";
import { urgency } from "./summary";

const CARDS_AT_ONCE = 60;

const KEYS: Record<string, (service: Service) => string | number | null> = {
  service: ({ service }) => service,
  traffic: ({ requests_per_s }) => requests_per_s,
  success: ({ success_rate }) => success_rate,
  errors: ({ errors }) => errors,
  p50: ({ p50_ms }) => p50_ms,
  p95: ({ p95_ms }) => p95_ms,
  apdex: ({ apdex }) => apdex,
};

/** In the order of the table; more of them by a button. */
export function ServiceCards({ services, sort }: { services: readonly Service[]; sort: string }) {
  const { t } = useWords();
  const [most, setMost] = useState(CARDS_AT_ONCE);
  const ordered = useMemo(() => {
    const { column, descending } = readSort(sort);
    return sorted(services, KEYS[column] ?? urgency, descending);
  }, [services, sort]);
  return (
    <>
      <div className={classes.cards}>
        {ordered.slice(0, most).map((service) => (
          <ServiceCard key={`${service.app}/${service.service}`} of={service} />
        ))}
      </div>
      {ordered.length > most && (
        <Button variant="default" size="xs" onClick={() => setMost(most + CARDS_AT_ONCE)}>
          {t("more", { count: ordered.length - most })}
        </Button>
      )}
    </>
  );
}

function ServiceCard({ of: service }: { of: Service }) {
  const { t } = useWords();
  return (
    <Link
      to="/services/$service"
      params={{ service: service.service }}
      search={{ app: service.app }}
      className={classes.card}
    >
      <div className={classes.head}>
        <Name mark={<HealthMark health={healthOf(service)} />}>{service.service}</Name>
      </div>
      <Sparkline
        width={260}
        height={38}
        values={ratesOf(service.series)}
        part={errorRatesOf(service.series)}
        label={`${t("figure.traffic")} ${text(rate(service.requests_per_s))}`}
      />
      <dl className={classes.figures}>
        <One label={t("figure.traffic")} of={rate(service.requests_per_s)} />
        <One label={t("figure.success")} of={percent(service.success_rate)} />
        <One label="p95" of={duration(service.p95_ms)} />
        <One label={t("figure.apdex")} of={plain(service.apdex, 2)} />
      </dl>
    </Link>
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
