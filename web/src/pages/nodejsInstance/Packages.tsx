import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsPackageQuery, nodejsPackagesQuery } from "../../api/nodejs";
import type { NodejsDependency, NodejsLocked, NodejsPackage } from "../../api/nodejsTypes";
import { ago } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { HealthMark } from "../../parts/HealthMark";
import { Loaded } from "../../parts/Loaded";
import { Name } from "../../parts/Name";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { NodejsInstanceSearch } from "../../routes/nodejs";
import { TEST_IDS } from "../../testIds";
import type { OnChange } from "./NodejsInstancePage";

interface Props {
  name: { app: string; agent: string };
  search: NodejsInstanceSearch;
  onChange: OnChange;
}

/** What the application asks for, and which version is installed. */
export function Packages({ name, search, onChange }: Props) {
  const { t } = useWords();
  const packages = useQuery(nodejsPackagesQuery(name));
  return (
    <Loaded query={packages} skeleton={<TableSkeleton />}>
      {(all) => {
        const chosen = all.find(({ file }) => file === search.file) ?? all[0];
        if (!chosen) {
          return (
            <Panel>
              <Empty title={t("nodejs.noPackages")}>{t("nodejs.noPackages.hint")}</Empty>
            </Panel>
          );
        }
        return (
          <OnePackage key={chosen.file} name={name} all={all} chosen={chosen} search={search} onChange={onChange} />
        );
      }}
    </Loaded>
  );
}

interface OneProps extends Props {
  all: readonly NodejsPackage[];
  chosen: NodejsPackage;
}

function OnePackage({ name, all, chosen, search, onChange }: OneProps) {
  const { t, language } = useWords();
  const whole = useQuery(nodejsPackageQuery(name, chosen.file));
  const words = (search.q ?? "").toLowerCase();
  const isShown = (one: { name: string }) => one.name.toLowerCase().includes(words);
  const dependencies = chosen.dependencies.filter(isShown);
  const locked = whole.data?.locked?.filter(isShown) ?? [];
  const columns = useMemo(() => dependencyColumns(t), [t]);
  const lockedColumns = useMemo(() => columnsOfLocked(t), [t]);
  return (
    <>
      <Panel
        flush
        testId={TEST_IDS.nodejsPackages}
        title={t("nodejs.dependencies", { count: dependencies.length })}
        aside={
          <>
            {all.length > 1 ? (
              <NativeSelect
                size="xs"
                maw={320}
                aria-label="package.json"
                value={chosen.file}
                onChange={(event) => onChange({ file: event.currentTarget.value })}
                data={all.map(({ file, name: called }) => ({
                  value: file,
                  label: called ? `${called} (${file})` : file,
                }))}
              />
            ) : (
              <span className="mono" style={{ overflowWrap: "anywhere" }}>
                {chosen.file}
              </span>
            )}
            <span>
              {chosen.name} {chosen.version}
            </span>
            <span>{ago(chosen.received_at, language)}</span>
            <SearchField
              label={t("nodejs.searchPackages")}
              width={200}
              value={search.q ?? ""}
              onChange={(typed) => onChange({ q: typed || undefined })}
            />
          </>
        }
      >
        {chosen.problem && (
          <p style={{ margin: 0, padding: "4px 14px 8px" }}>
            <HealthMark health="warn" /> {chosen.problem}
          </p>
        )}
        {dependencies.length === 0 ? (
          <Empty title={words ? t("overview.noMatch", { words }) : t("profile.none")} />
        ) : (
          <DataTable
            label={t("nodejs.dependencies", { count: dependencies.length })}
            columns={columns}
            rows={dependencies}
            rowKey={({ name: called, kind }) => `${kind} ${called}`}
            sort={search.sort ?? "name"}
            onSort={(sort) => onChange({ sort })}
            rowHeight={30}
            restWidth={180}
            maxHeight="46dvh"
          />
        )}
      </Panel>
      <Panel
        flush
        title={t("nodejs.locked", { count: chosen.locked_count })}
        aside={chosen.lock_version > 0 ? t("nodejs.lockVersion", { version: chosen.lock_version }) : t("nodejs.noLock")}
      >
        {locked.length === 0 ? (
          <Empty title={t(whole.isPending && chosen.locked_count > 0 ? "loading" : "profile.none")} />
        ) : (
          <DataTable
            label={t("nodejs.locked", { count: locked.length })}
            columns={lockedColumns}
            rows={locked}
            rowKey={({ path, name: called }) => path || called}
            rowHeight={28}
            restWidth={180}
            maxHeight="46dvh"
          />
        )}
      </Panel>
    </>
  );
}

const dependencyColumns = (t: Translate): Column<NodejsDependency>[] => [
  { key: "name", header: t("name"), sortBy: ({ name }) => name, cell: ({ name }) => <Name mono>{name}</Name> },
  {
    key: "locked",
    header: t("nodejs.installed"),
    width: 170,
    sortBy: ({ locked }) => locked,
    cell: ({ locked }) => <Name mono>{locked || "–"}</Name>,
  },
  {
    key: "wanted",
    header: t("nodejs.wanted"),
    width: 190,
    sortBy: ({ wanted }) => wanted,
    cell: ({ wanted }) => <Name mono>{wanted}</Name>,
  },
  {
    key: "kind",
    header: t("kind"),
    width: 130,
    sortBy: ({ kind }) => kind,
    cell: ({ kind }) => t(`nodejs.dependency.${kind}`),
  },
];

const columnsOfLocked = (t: Translate): Column<NodejsLocked>[] => [
  { key: "name", header: t("name"), width: 240, cell: ({ name }) => <Name mono>{name}</Name> },
  { key: "version", header: t("nodejs.version"), width: 150, cell: ({ version }) => <Name mono>{version}</Name> },
  {
    key: "path",
    header: t("profile.place"),
    cell: ({ path }) => (
      <span className="muted">
        <Name mono>{path}</Name>
      </span>
    ),
  },
];
