import type { ReactNode } from "react";

import { useWords } from "../i18n";
import { Empty } from "./Empty";
import { Panel } from "./Panel";

interface Props {
  title: string;
  /** Groups of the answer, and those with the searched words in them. */
  found: number;
  shown: number;
  words: string;
  /** In place of a table without a single group. */
  none: ReactNode;
  children: ReactNode;
}

/** A table of groups, or why there is none. */
export function GroupsPanel({ title, found, shown, words, none, children }: Props) {
  const { t } = useWords();
  if (found === 0) return <Panel>{none}</Panel>;
  return (
    <Panel title={title} flush>
      {shown === 0 ? <Empty title={t("overview.noMatch", { words })} /> : children}
    </Panel>
  );
}
