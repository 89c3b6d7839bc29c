import { Loader } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import { type FileFilter, nodejsFilesQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { useWords } from "../../i18n";
import { Empty } from "../../parts/Empty";
import { Loaded, type Readable } from "../../parts/Loaded";
import { Panel } from "../../parts/Panel";
import { Refused } from "../../parts/Refused";
import { TableSkeleton } from "../../parts/Skeletons";
import { FileTable } from "./FileTable";
import { useFileWork } from "./useFileWork";

interface Props {
  filter: FileFilter;
  title?: string;
  /** One of several parts of a page, of one process. */
  isShort?: boolean;
}

/** Files that match, newest first; more comes with scrolling. */
export function FileList({ filter, title, isShort }: Props) {
  const { t } = useWords();
  const files = useInfiniteQuery(nodejsFilesQuery(filter));
  const work = useFileWork();
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = files;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const rows = useMemo(() => files.data?.pages.flatMap(({ items }) => items), [files.data]);
  const query: Readable<NodejsFile[]> = {
    data: rows,
    error: files.error,
    refetch: files.refetch as unknown as Readable<NodejsFile[]>["refetch"],
  };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (isShort && rows?.length === 0) return null;
  return (
    <Panel flush title={title}>
      <Refused error={work.error} />
      <Loaded query={query} skeleton={<TableSkeleton rows={isShort ? 2 : 8} />}>
        {(found) =>
          found.length === 0 ? (
            isFiltered ? (
              <Empty title={t("nodejs.noFile")} />
            ) : (
              <Empty title={t("nodejs.noFiles")}>{t("nodejs.noFiles.hint")}</Empty>
            )
          ) : (
            <FileTable
              files={found}
              isShort={isShort}
              work={work}
              onEnd={onEnd}
              foot={
                isFetchingNextPage ? (
                  <Loader size="xs" />
                ) : hasNextPage || isShort ? undefined : (
                  t("nodejs.files.all", { count: found.length })
                )
              }
            />
          )
        }
      </Loaded>
    </Panel>
  );
}
