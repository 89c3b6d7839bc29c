import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { arrivalsQuery } from "../../api/queries";
import { ago } from "../../domain/format";
import { useWords } from "../../i18n";
import { Failure } from "../../parts/Failure";
import { HealthMark } from "../../parts/HealthMark";
import { TEST_IDS } from "../../testIds";
import classes from "./ConnectPage.module.css";

const AGENT = "sonde-agent";

/** Waits for the first data of an app since the page was opened, and leads to it. */
export function Arrivals({ app, since }: { app: string; since: number }) {
  const { t, language } = useWords();
  const arrivals = useQuery(arrivalsQuery(app, since));
  if (arrivals.error && !arrivals.data) return <Failure error={arrivals.error} onRetry={() => arrivals.refetch()} />;
  const found = arrivals.data ?? [];
  return (
    <div className={classes.arrivals} data-testid={TEST_IDS.connectArrivals} role="status">
      {found.length === 0 ? (
        <p className="muted">
          <Loader size={14} /> {t("connect.waiting")}
        </p>
      ) : (
        <ul>
          {found.map(({ service, language: of, last_seen }) => (
            <li key={service}>
              <HealthMark health="ok" />
              {service === AGENT ? (
                <Link to="/nodes" className="link">
                  {t("connect.host")}
                </Link>
              ) : (
                <Link to="/services/$service" params={{ service }} search={{ app }} className="link">
                  {service}
                </Link>
              )}
              <span className="muted">
                {of && `${of} · `}
                {ago(last_seen, language)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
