import { type ReactNode, useDeferredValue, useMemo } from "react";

import { bytes, count, NOTHING, text } from "../../domain/format";
import type { Health } from "../../domain/health";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { HealthMark } from "../HealthMark";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { Sparkline } from "../Sparkline";
import { placeOf } from "./frames";
import classes from "./LeaksView.module.css";
import { type LeakRoute, type LeakSite, type LeaksFile, risen, siteKey, thinned, urgency } from "./leaks";
import { Place } from "./Place";

export interface LeaksSearch {
  q?: string;
  sort?: string;
  /** The chosen line. */
  fn?: string;
}

interface Props {
  leaks: LeaksFile;
  search: LeaksSearch;
  onSearch: (next: Partial<LeaksSearch>) => void;
  aside?: ReactNode;
}

const MARKS: Record<string, Health> = {
  leak: "error",
  unsure: "warn",
  growing: "warn",
  bounded: "ok",
  "warm-up": "ok",
};
const WORDS: Record<string, Key> = {
  leak: "leaks.verdict.leak",
  unsure: "leaks.verdict.unsure",
  growing: "leaks.verdict.growing",
  bounded: "leaks.verdict.bounded",
  "warm-up": "leaks.verdict.warmUp",
};
const BY_URGENCY = "verdict";

/** Lines by verdict, each with how its memory grew, and who holds it. */
export function LeaksView({ leaks, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const { q = "", sort = BY_URGENCY, fn } = search;
  const words = useDeferredValue(q).toLowerCase();
  const shown = useMemo(
    () => leaks.sites.filter((site) => `${siteKey(site)} ${site.chain.join(" ")}`.toLowerCase().includes(words)),
    [leaks, words],
  );
  const chosen = leaks.sites.find((site) => siteKey(site) === fn);
  const columns = useMemo(() => columnsOf(t), [t]);
  return (
    <>
      <div className={classes.answer}>
        <Growth memory={leaks.memory} />
        <Panel
          title={t("leaks.sites", { count: leaks.sites.length })}
          flush
          testId={TEST_IDS.leaks}
          aside={
            <>
              {aside}
              <SearchField
                label={t("profile.search")}
                value={q}
                onChange={(typed) => onSearch({ q: typed || undefined })}
              />
            </>
          }
        >
          {shown.length === 0 ? (
            <Empty title={leaks.sites.length === 0 ? t("leaks.none") : t("overview.noMatch", { words: q })} />
          ) : (
            <DataTable
              label={t("leaks.sites", { count: shown.length })}
              columns={columns}
              rows={shown}
              rowKey={siteKey}
              sort={sort}
              onSort={(next) => onSearch({ sort: next })}
              onOpen={(site) => onSearch({ fn: siteKey(site) === fn ? undefined : siteKey(site) })}
              selected={fn}
              rowHeight={34}
              restWidth={240}
              maxHeight="52dvh"
            />
          )}
          {chosen && <Site site={chosen} />}
        </Panel>
      </div>
      {leaks.routes.length > 0 && <Routes routes={leaks.routes} />}
    </>
  );
}

/** A verdict with its mark; null: there is none. */
export function VerdictMark({ verdict }: { verdict: string | null }) {
  const { t } = useWords();
  if (verdict === null) return <span className="muted">{NOTHING}</span>;
  const word = WORDS[verdict];
  return <Name mark={<HealthMark health={MARKS[verdict] ?? "idle"} size={10} />}>{word ? t(word) : verdict}</Name>;
}

function columnsOf(t: ReturnType<typeof useWords>["t"]): Column<LeakSite>[] {
  return [
    {
      key: "verdict",
      header: t("leaks.verdict"),
      width: 132,
      sortBy: urgency,
      firstDescending: false,
      cell: ({ verdict }) => <VerdictMark verdict={verdict} />,
    },
    {
      key: "place",
      header: t("profile.place"),
      sortBy: ({ file, line }) => placeOf(file, line),
      cell: ({ file, line }) => <Place file={file} line={line} />,
    },
    {
      key: "type",
      header: t("type"),
      width: 150,
      phoneLast: true,
      sortBy: ({ type }) => type,
      cell: ({ type, approximate }) => <Name mono>{`${type || "–"}${approximate ? " ≈" : ""}`}</Name>,
    },
    {
      key: "growth",
      header: t("leaks.growth"),
      width: 172,
      phoneLast: true,
      cell: ({ series }) => (
        <Sparkline
          values={thinned(series ?? []).map(([, size]) => size)}
          width={128}
          height={22}
          label={t("leaks.growth")}
        />
      ),
    },
    {
      key: "bytes",
      header: t("leaks.kept"),
      width: 104,
      align: "right",
      sortBy: (site) => site.bytes,
      cell: (site) => <Amount of={bytes(site.bytes)} unitWidth={4} />,
    },
    {
      key: "blocks",
      header: t("leaks.blocks"),
      width: 90,
      align: "right",
      sortBy: ({ blocks }) => blocks,
      cell: ({ blocks }) => <Amount of={count(blocks)} />,
    },
    {
      key: "each",
      header: t("leaks.perLoop"),
      width: 118,
      align: "right",
      sortBy: ({ bytes_per_loop }) => bytes_per_loop,
      cell: ({ bytes_per_loop }) => <Amount of={bytes(bytes_per_loop)} unitWidth={4} />,
    },
  ];
}

/** The size of the process, and what is kept of what was watched, request by request. */
function Growth({ memory }: { memory: LeaksFile["memory"] }) {
  const { t } = useWords();
  const points = useMemo(() => thinned(memory), [memory]);
  const first = memory[0];
  const last = memory.at(-1);
  if (!first || !last) return null;
  const rose = (from: number, to: number) => `${to >= from ? "+" : "−"}${text(bytes(Math.abs(to - from)))}`;
  return (
    <div className={classes.pair}>
      <Panel
        title={t("leaks.resident")}
        aside={`${text(bytes(last[1]))} (${rose(first[1], last[1])})`}
        testId={TEST_IDS.leaksMemory}
      >
        <Sparkline
          values={risen(points.map(([, resident]) => resident))}
          width={620}
          height={56}
          label={t("leaks.resident")}
          colour="var(--s-p99)"
        />
      </Panel>
      <Panel title={t("leaks.watched")} aside={text(bytes(last[2]))}>
        <Sparkline values={points.map(([, , kept]) => kept)} width={620} height={56} label={t("leaks.watched")} />
      </Panel>
    </div>
  );
}

function Site({ site }: { site: LeakSite }) {
  const { t } = useWords();
  return (
    <div className={classes.site} data-testid={TEST_IDS.leakSite}>
      <p className={classes.why}>
        <HealthMark health={MARKS[site.verdict] ?? "idle"} />{" "}
        <span className="mono">{placeOf(site.file, site.line)}</span>
      </p>
      <p className="muted">{site.why}</p>
      {site.via && <p className="muted">{t("leaks.via", { place: placeOf(site.via.file, site.via.line) })}</p>}
      {site.approximate && <p className="muted">{t("leaks.approximate")}</p>}
      <h4 className={classes.title}>{t("leaks.chain")}</h4>
      {site.chain.length === 0 ? (
        <p className="muted">{t("leaks.noChain")}</p>
      ) : (
        <ol className={classes.chain}>
          {site.chain.map((step, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a chain may have the same step twice, and does not move
            <li key={index}>{step}</li>
          ))}
        </ol>
      )}
    </div>
  );
}

function Routes({ routes }: { routes: readonly LeakRoute[] }) {
  const { t } = useWords();
  const columns = useMemo<Column<LeakRoute>[]>(
    () => [
      { key: "route", header: t("endpoint"), cell: ({ route }) => <Name>{route}</Name> },
      {
        key: "loops",
        header: t("figure.requests"),
        width: 110,
        align: "right",
        cell: ({ loops }) => <Amount of={count(loops)} />,
      },
      {
        key: "bytes",
        header: t("leaks.kept"),
        width: 120,
        align: "right",
        cell: (route) => <Amount of={bytes(route.bytes)} unitWidth={4} />,
      },
      {
        key: "each",
        header: t("leaks.perLoop"),
        width: 130,
        align: "right",
        cell: ({ bytes_per_loop }) => <Amount of={bytes(bytes_per_loop)} unitWidth={4} />,
      },
    ],
    [t],
  );
  return (
    <Panel title={t("leaks.routes")} flush>
      <DataTable
        label={t("leaks.routes")}
        columns={columns}
        rows={routes}
        rowKey={({ route }) => route}
        rowHeight={30}
        maxHeight="36dvh"
      />
    </Panel>
  );
}
