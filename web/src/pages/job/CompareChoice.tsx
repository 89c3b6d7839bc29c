import { NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";

import { jobsQuery } from "../../api/queries";
import type { Job } from "../../api/types";
import { moment } from "../../domain/format";
import { useWords } from "../../i18n";

interface Props {
  job: Job;
  /** Id of the run that it is compared with. */
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}

/** The other runs of the same tool, those of the same service first. */
export function CompareChoice({ job, chosen, onChoose }: Props) {
  const { t } = useWords();
  const jobs = useInfiniteQuery(jobsQuery({ tool: job.tool, state: "done" }));
  const others = (jobs.data?.pages.flatMap(({ items }) => items) ?? []).filter(({ id }) => id !== job.id);
  const label = (other: Job) =>
    `${moment(other.created_at).slice(5, 19)} · ${other.service} · ${t("job.pid", { pid: other.pid })}`;
  const same = others.filter(({ service }) => service === job.service);
  const rest = others.filter(({ service }) => service !== job.service);
  const data = [...same, ...rest].map((other) => ({ value: other.id, label: label(other) }));
  if (chosen !== undefined && !data.some(({ value }) => value === chosen)) data.push({ value: chosen, label: chosen });
  return (
    <NativeSelect
      size="xs"
      maw={290}
      aria-label={t("job.compare")}
      title={t("job.compare.hint")}
      disabled={data.length === 0}
      value={chosen ?? ""}
      onChange={(event) => onChoose(event.currentTarget.value || undefined)}
      data={[
        {
          value: "",
          label: chosen ? t("job.compare.stop") : data.length === 0 ? t("job.compare.none") : `${t("job.compare")} …`,
        },
        ...data,
      ]}
    />
  );
}
