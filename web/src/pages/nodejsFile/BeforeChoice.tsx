import { NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";

import { nodejsFilesQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";

interface Props {
  file: NodejsFile;
  /** Id of the file that it is compared with. */
  chosen: number | undefined;
  onChoose: (id: number | undefined) => void;
}

/** The other stored files of the kind and app, those of the same process first. */
export function BeforeChoice({ file, chosen, onChoose }: Props) {
  const { t } = useWords();
  const files = useInfiniteQuery(nodejsFilesQuery({ app: file.app, kind: file.kind }));
  const others = (files.data?.pages.flatMap(({ items }) => items) ?? []).filter(
    ({ id, parts }) => id !== file.id && parts.length > 0,
  );
  const isOwn = (one: NodejsFile) => one.agent === file.agent && one.pid === file.pid;
  const data = [...others.filter(isOwn), ...others.filter((one) => !isOwn(one))].map((one) => ({
    value: String(one.id),
    label: `${moment(one.created_at).slice(5, 19)} · ${one.agent} · ${t("job.pid", { pid: one.pid })}`,
  }));
  if (chosen !== undefined && !data.some(({ value }) => value === String(chosen))) {
    data.push({ value: String(chosen), label: String(chosen) });
  }
  const first = chosen ? t("job.compare.stop") : data.length === 0 ? t("nodejs.compare.none") : `${t("job.compare")} …`;
  return (
    <NativeSelect
      size="xs"
      maw={250}
      aria-label={t("job.compare")}
      title={t("job.compare.hint")}
      disabled={data.length === 0}
      value={chosen === undefined ? "" : String(chosen)}
      onChange={(event) => onChoose(event.currentTarget.value ? Number(event.currentTarget.value) : undefined)}
      data={[{ value: "", label: first }, ...data]}
    />
  );
}
