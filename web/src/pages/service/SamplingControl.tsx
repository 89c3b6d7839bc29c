import { Button, Popover } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { samplingQuery, sessionQuery } from "../../api/queries";
import { inWords, saysNothing } from "../../domain/sampling";
import { useWords } from "../../i18n";
import { Failure } from "../../parts/Failure";
import { TEST_IDS } from "../../testIds";
import classes from "./Sampling.module.css";
import { SamplingFacts } from "./SamplingFacts";
import { SamplingForm } from "./SamplingForm";

/** How much of the service is recorded, in a few words; behind them, the fields that change it while it runs. */
export function SamplingControl({ app, service }: { app: string; service: string }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const sampling = useQuery(samplingQuery(app, service));
  const session = useQuery(sessionQuery);
  const said = sampling.data;
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" shadow="md" width={304} trapFocus returnFocus>
      <Popover.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-xs"
          className={classes.button}
          data-said={(said && !saysNothing(said)) || undefined}
          rightSection={<IconChevronDown size={12} />}
          onClick={() => setOpen(!open)}
          data-testid={TEST_IDS.sampling}
        >
          <span className="ellipsis">
            {said ? t("sampling.summary", { what: inWords(said, t) }) : t("sampling.title")}
          </span>
        </Button>
      </Popover.Target>
      <Popover.Dropdown
        className={classes.dropdown}
        aria-label={t("sampling.title")}
        data-testid={TEST_IDS.samplingForm}
      >
        {said ? (
          session.data?.role === "viewer" ? (
            <SamplingFacts sampling={said} />
          ) : (
            <SamplingForm sampling={said} onDone={() => setOpen(false)} />
          )
        ) : (
          sampling.error && <Failure error={sampling.error} onRetry={() => sampling.refetch()} />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
