/** Deploys and restarts as marks on a time axis. */

import type { DeployMark } from "../api/errorsTypes";
import type { Translate } from "../i18n";
import type { TimeMark } from "../parts/TimeSeries";

/** What happened, in words: with the service where several may be meant. */
export function deployText(t: Translate, mark: DeployMark, withService = false): string {
  const { kind, version, previous, processes, service } = mark;
  const what =
    kind === "restart"
      ? t("mark.restart")
      : previous
        ? t("mark.deployOver", { version, previous })
        : t("mark.deploy", { version });
  return [withService && service, what, processes > 1 && t("mark.processes", { count: processes })]
    .filter(Boolean)
    .join(" · ");
}

export const timeMarksOf = (t: Translate, marks: readonly DeployMark[], withService = false): TimeMark[] =>
  marks.map((mark) => ({
    time: new Date(mark.time).getTime(),
    label: deployText(t, mark, withService),
    strong: mark.kind === "deploy",
  }));
