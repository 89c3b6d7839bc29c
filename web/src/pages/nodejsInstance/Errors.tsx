import { Button, Loader, NativeSelect } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsErrorFilesQuery, nodejsErrorsQuery } from "../../api/nodejs";
import type { NodejsLoggedError } from "../../api/nodejsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded, type Readable } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { SearchField } from "../../parts/SearchField";
import { TableSkeleton } from "../../parts/Skeletons";
import type { NodejsInstanceSearch } from "../../routes/nodejs";
import { useRange } from "../../shell/useRange";
import { TEST_IDS } from "../../testIds";
import type { OnChange } from "./NodejsInstancePage";
import classes from "./NodejsInstancePage.module.css";

interface Props {
  name: { app: string; agent: string };
  search: NodejsInstanceSearch;
  onChange: OnChange;
}

/** What the agent found in the error files that it watches, newest first, each with its stack. */
export function Errors({ name, search, onChange }: Props) {
  const { t } = useWords();
  const { range } = useRange();
  const files = useQuery(nodejsErrorFilesQuery(name, range));
  const errors = useInfiniteQuery(nodejsErrorsQuery(name, search.file, range));
  const rows = useMemo(() => errors.data?.pages.flatMap(({ items }) => items), [errors.data]);
  const query: Readable<NodejsLoggedError[]> = {
    data: rows,
    error: errors.error,
    refetch: errors.refetch as unknown as Readable<NodejsLoggedError[]>["refetch"],
  };
  const words = (search.q ?? "").toLowerCase();
  const choices = files.data ?? [];
  return (
    <Panel
      flush
      title={t("nodejs.view.errors")}
      testId={TEST_IDS.nodejsErrors}
      aside={
        <>
          <NativeSelect
            size="xs"
            maw={320}
            aria-label={t("nodejs.errorFile")}
            value={search.file ?? ""}
            onChange={(event) => onChange({ file: event.currentTarget.value || undefined })}
            data={[
              { value: "", label: t("nodejs.allFiles") },
              ...choices.map(({ file, errors: found }) => ({ value: file, label: `${file} (${found})` })),
              ...(search.file && !choices.some(({ file }) => file === search.file)
                ? [{ value: search.file, label: search.file }]
                : []),
            ]}
          />
          <SearchField
            label={t("nodejs.searchErrors")}
            width={200}
            value={search.q ?? ""}
            onChange={(typed) => onChange({ q: typed || undefined })}
          />
        </>
      }
    >
      <Loaded query={query} skeleton={<TableSkeleton />}>
        {(found) => {
          const shown = found.filter(({ type, message, stack }) =>
            `${type} ${message} ${stack}`.toLowerCase().includes(words),
          );
          if (found.length === 0) return <Empty title={t("error.none")}>{t("nodejs.errors.hint")}</Empty>;
          return (
            <>
              {shown.length === 0 && <Empty title={t("overview.noMatch", { words: search.q ?? "" })} />}
              {shown.map((one, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: errors have no id; two can be the same
                <OneError key={index} error={one} />
              ))}
              <div className={classes.foot}>
                {errors.isFetchingNextPage ? (
                  <Loader size="xs" />
                ) : errors.hasNextPage ? (
                  <Button size="compact-xs" variant="default" onClick={() => errors.fetchNextPage()}>
                    {t("nodejs.olderErrors")}
                  </Button>
                ) : (
                  t("nodejs.errors.all", { count: found.length })
                )}
              </div>
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function OneError({ error: { time, type, message, stack, extra, file } }: { error: NodejsLoggedError }) {
  return (
    <details className={classes.error}>
      <summary className={classes.errorHead}>
        <span className="muted">{moment(time)}</span>
        <span className={`${classes.type} ellipsis`} title={type}>
          {type}
        </span>
        <span className="ellipsis" title={message}>
          {message || stack.split("\n", 1)[0]}
        </span>
      </summary>
      <pre className={classes.stack}>
        {[stack, extra].filter(Boolean).join("\n\n")}
        {"\n\n"}
        <span className="muted">{file}</span>
      </pre>
    </details>
  );
}
