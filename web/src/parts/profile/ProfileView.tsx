import { Button, SegmentedControl } from "@mantine/core";
import { type ReactNode, useDeferredValue, useMemo } from "react";

import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { mix } from "../../theme/palette";
import { usePalette } from "../../theme/theme";
import { Empty } from "../Empty";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { Butterfly } from "./Butterfly";
import { CostTable } from "./CostTable";
import { FlameGraph } from "./FlameGraph";
import { flameColours, heaviestModules } from "./flameColours";
import { comparedTreeOf, flameTreeOf, invertedTreeOf } from "./flameTree";
import { hashOf } from "./frames";
import { comparedCosts, costsBy, type GroupBy, neighboursOf } from "./functions";
import classes from "./ProfileView.module.css";
import { at, type Profile } from "./profile";

export const PROFILE_VIEWS = ["flame", "table", "callers"] as const;
export type ProfileViewName = (typeof PROFILE_VIEWS)[number];
export const GROUPINGS = ["function", "file", "line"] as const;

/** How a profile is looked at; it all stands in the address. */
export interface ProfileSearch {
  view?: ProfileViewName;
  q?: string;
  /** Path of the zoomed node. */
  zoom?: string;
  inverted?: true;
  by?: GroupBy;
  sort?: string;
  /** The function whose callers are shown. */
  fn?: string;
}

interface Props {
  title: string;
  profile: Profile;
  /** Compared with it. */
  before: Profile | null;
  search: ProfileSearch;
  onSearch: (next: Partial<ProfileSearch>) => void;
  /** E.g. the choice of what to compare with. */
  aside?: ReactNode;
}

const MODULES_IN_LEGEND = 8;

/** A profile as flame graph, as table, and around one function. */
export function ProfileView({ title, profile, before, search, onSearch, aside }: Props) {
  const { t } = useWords();
  const { view = "flame", q = "", zoom, inverted, by = "function", sort = "-self", fn } = search;
  const words = useDeferredValue(q);
  const upright = useMemo(() => (before ? comparedTreeOf(before, profile) : flameTreeOf(profile)), [before, profile]);
  const tree = useMemo(() => (inverted ? invertedTreeOf(upright) : upright), [upright, inverted]);
  const callersOf = (name: string, file: string) =>
    onSearch({ view: "callers", fn: hashOf(`${name}\n${file}`).toString(36) });
  const onFunction = (frame: number) => callersOf(tree.frames.name[frame] as string, tree.frames.file[frame] as string);
  return (
    <Panel
      title={title}
      flush
      testId={TEST_IDS.profile}
      aside={
        <>
          {aside}
          <SegmentedControl
            size="xs"
            value={view}
            onChange={(chosen) => onSearch({ view: chosen as ProfileViewName })}
            data={PROFILE_VIEWS.map((value) => ({ value, label: t(`profile.view.${value}`) }))}
          />
        </>
      }
    >
      <div className={classes.tools}>
        <SearchField
          label={t("profile.search")}
          width={260}
          value={q}
          onChange={(typed) => onSearch({ q: typed || undefined })}
        />
        {view === "flame" && (
          <Button
            size="compact-xs"
            variant={inverted ? "light" : "default"}
            aria-pressed={inverted === true}
            onClick={() => onSearch({ inverted: inverted ? undefined : true, zoom: undefined })}
            title={t("profile.inverted.hint")}
          >
            {t("profile.inverted")}
          </Button>
        )}
        {view === "table" && (
          <SegmentedControl
            size="xs"
            value={by}
            onChange={(chosen) => onSearch({ by: chosen as GroupBy })}
            data={GROUPINGS.map((value) => ({ value, label: t(`profile.by.${value}`) }))}
          />
        )}
        {view === "flame" && (before ? <ChangeLegend /> : <ModuleLegend profile={profile} />)}
      </div>
      {at(upright.total, 0) <= 0 ? (
        <Empty title={t("profile.empty")}>{t("profile.empty.hint")}</Empty>
      ) : view === "flame" ? (
        <FlameGraph
          tree={tree}
          zoom={zoom}
          onZoom={(path) => onSearch({ zoom: path })}
          search={words}
          onFunction={onFunction}
        />
      ) : view === "table" ? (
        <Costs
          profile={profile}
          before={before}
          by={by}
          words={words}
          sort={sort}
          onSort={(next) => onSearch({ sort: next })}
          onFunction={callersOf}
        />
      ) : (
        <Callers profile={profile} fn={fn} words={words} onFunction={callersOf} />
      )}
    </Panel>
  );
}

interface CostsProps {
  profile: Profile;
  before: Profile | null;
  by: GroupBy;
  words: string;
  sort: string;
  onSort: (sort: string) => void;
  onFunction: (name: string, file: string) => void;
}

function Costs({ profile, before, by, words, sort, onSort, onFunction }: CostsProps) {
  const rows = useMemo(() => {
    const now = costsBy(profile, by);
    return before ? comparedCosts(costsBy(before, by), now) : now;
  }, [profile, before, by]);
  return (
    <CostTable
      rows={rows}
      by={by}
      unit={profile.unit}
      all={profile.weight}
      beforeAll={before?.weight ?? null}
      words={words}
      sort={sort}
      onSort={onSort}
      onOpen={by === "file" ? undefined : ({ name, file }) => onFunction(name, file)}
    />
  );
}

interface CallersProps {
  profile: Profile;
  fn: string | undefined;
  words: string;
  onFunction: (name: string, file: string) => void;
}

function Callers({ profile, fn, words, onFunction }: CallersProps) {
  const rows = useMemo(() => costsBy(profile, "function").sort((a, b) => b.total - a.total), [profile]);
  const centre = useMemo(() => {
    const wanted = fn === undefined ? undefined : Number.parseInt(fn, 36);
    const heaviest = rows.reduce((most, row) => (row.self > (most?.self ?? -1) ? row : most), rows[0]);
    return rows.find(({ key }) => hashOf(key) === wanted) ?? heaviest;
  }, [rows, fn]);
  const around = useMemo(() => centre && neighboursOf(profile, centre.key), [profile, centre]);
  if (!centre || !around) return null;
  return (
    <Butterfly
      functions={rows}
      centre={centre}
      around={around}
      unit={profile.unit}
      all={profile.weight}
      words={words}
      onOpen={({ name, file }) => onFunction(name, file)}
    />
  );
}

function ModuleLegend({ profile }: { profile: Profile }) {
  const { t } = useWords();
  const palette = usePalette();
  const modules = useMemo(() => heaviestModules(profile, MODULES_IN_LEGEND), [profile]);
  const colours = flameColours(palette);
  const hues = palette.series.length;
  const colourOf = ({ module, kind }: (typeof modules)[number]) => {
    if (kind === "standard") return colours[hues * 2];
    if (kind === "native") return colours[hues * 2 + 1];
    return colours[(hashOf(module) % hues) + (kind === "library" ? hues : 0)];
  };
  return (
    <span className={classes.legend}>
      {modules.map((one) => (
        <span key={`${one.kind} ${one.module}`} className={classes.key}>
          <span className={classes.swatch} style={{ background: colourOf(one) }} />
          {one.kind === "standard" || one.kind === "native" ? t(`profile.kind.${one.kind}`) : one.module}
        </span>
      ))}
    </span>
  );
}

function ChangeLegend() {
  const { t } = useWords();
  const palette = usePalette();
  return (
    <span className={classes.legend}>
      <span className={classes.key}>
        <span className={classes.swatch} style={{ background: mix(palette.error, palette.surface, 0.7) }} />
        {t("profile.grew")}
      </span>
      <span className={classes.key}>
        <span className={classes.swatch} style={{ background: mix(palette.accent, palette.surface, 0.7) }} />
        {t("profile.shrank")}
      </span>
    </span>
  );
}
