import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";

import { count, duration, text } from "../../domain/format";
import { useWords } from "../../i18n";
import type { Key } from "../../i18n/en";
import { TEST_IDS } from "../../testIds";
import { CopyButton } from "../CopyButton";
import { Empty } from "../Empty";
import { Panel } from "../Panel";
import { SearchField } from "../SearchField";
import { framesOf, placeOf, shortPlaceOf } from "./frames";
import classes from "./StacksView.module.css";
import {
  awaitRows,
  groupsOf,
  hasWords,
  type StackFrame,
  type StackLoop,
  type StackSpan,
  type StacksFile,
  stacksText,
  type TaskRow,
  type ThreadGroup,
} from "./stacks";

interface Props {
  stacks: Pick<StacksFile, "threads" | "loops">;
  search: string;
  onSearch: (words: string) => void;
}

const STATES: Record<string, Key> = {
  R: "stacks.state.R",
  S: "stacks.state.S",
  D: "stacks.state.D",
  T: "stacks.state.T",
  Z: "stacks.state.Z",
};
const ROWS_AT_ONCE = 100;
const OPEN_AT_FIRST = 4;

/** Every thread and task with its stack, at one moment. */
export function StacksView({ stacks, search, onSearch }: Props) {
  const { t } = useWords();
  const words = useDeferredValue(search);
  const groups = useMemo(() => groupsOf(stacks.threads), [stacks]);
  const shown = useMemo(
    () =>
      groups.filter(({ threads, frames }) =>
        hasWords(
          words,
          threads.flatMap(({ name, tid, syscall, span }) => [name, String(tid), syscall, span?.endpoint ?? ""]),
          frames,
        ),
      ),
    [groups, words],
  );
  return (
    <>
      <Panel
        title={t("stacks.threads", { count: stacks.threads.length })}
        flush
        testId={TEST_IDS.stacks}
        aside={
          <>
            <SearchField label={t("stacks.search")} value={search} onChange={onSearch} />
            <CopyButton text={stacksText(stacks)} what={t("stacks.text")} />
          </>
        }
      >
        {shown.length === 0 ? (
          <Empty title={words ? t("overview.noMatch", { words }) : t("stacks.none")} />
        ) : (
          <Some rows={shown}>
            {(group, index) => <Group key={group.key} group={group} open={index < OPEN_AT_FIRST || words !== ""} />}
          </Some>
        )}
      </Panel>
      {stacks.loops.map((loop) => (
        <Loop key={`${loop.name} ${loop.tid}`} loop={loop} words={words} />
      ))}
    </>
  );
}

/** The first rows, and more where they are asked for: nobody reads ten thousand stacks, but some must be reachable. */
function Some<Row>({ rows, children }: { rows: readonly Row[]; children: (row: Row, index: number) => ReactNode }) {
  const { t } = useWords();
  const [most, setMost] = useState(ROWS_AT_ONCE);
  return (
    <>
      {rows.slice(0, most).map(children)}
      {rows.length > most && (
        <div className={classes.more}>
          <Button size="compact-xs" variant="default" onClick={() => setMost(most + ROWS_AT_ONCE)}>
            {t("more", { count: Math.min(ROWS_AT_ONCE, rows.length - most) })}
          </Button>
        </div>
      )}
    </>
  );
}

function Group({ group, open }: { group: ThreadGroup; open: boolean }) {
  const { t } = useWords();
  const [first] = group.threads;
  if (!first) return null;
  const many = group.threads.length > 1;
  const state = STATES[first.state];
  const cpu = group.threads.reduce((sum, { cpu_ns }) => sum + cpu_ns, 0);
  return (
    <details className={classes.one} open={open}>
      <summary className={classes.head}>
        <strong>{many ? t("stacks.same", { count: group.threads.length }) : first.name}</strong>
        {!many && <span className="muted">{first.tid}</span>}
        {first.main && <span className={classes.badge}>{t("stacks.main")}</span>}
        {first.holds_gil && <span className={classes.gil}>{t("stacks.gil")}</span>}
        {state && (
          <span className={classes.badge} data-running={first.state === "R" || undefined}>
            {t(state)}
          </span>
        )}
        {first.syscall && <span className="mono muted">{first.syscall}</span>}
        <span className="muted">CPU {text(duration(cpu / 1e6))}</span>
        <Where span={first.span} />
        {!many && <Top frames={group.frames} />}
      </summary>
      {many && <p className={classes.names}>{group.threads.map(({ name, tid }) => `${name} (${tid})`).join(", ")}</p>}
      <Frames frames={group.frames} depth={group.depth} />
    </details>
  );
}

function Loop({ loop, words }: { loop: StackLoop; words: string }) {
  const { t } = useWords();
  const rows = useMemo(() => awaitRows(loop.tasks), [loop]);
  const shown = useMemo(
    () =>
      rows.filter(({ task }) => hasWords(words, [task.name, task.coroutine, task.waits_for, task.state], task.frames)),
    [rows, words],
  );
  return (
    <Panel
      title={t("stacks.loop", { count: text(count(loop.tasks.length)) })}
      flush
      testId={TEST_IDS.awaitGraph}
      aside={
        <span className="mono">
          {loop.name} {loop.tid > 0 && loop.tid}
        </span>
      }
    >
      {shown.length === 0 ? (
        <Empty title={t("overview.noMatch", { words })} />
      ) : (
        <Some rows={shown}>
          {(row, index) => <Task key={`${row.task.name} ${index}`} row={row} open={row.task.current || words !== ""} />}
        </Some>
      )}
    </Panel>
  );
}

const INDENT_PX = 22;
const DEEPEST_INDENT = 12;

function Task({ row: { task, depth }, open }: { row: TaskRow; open: boolean }) {
  const { t } = useWords();
  const indent = Math.min(depth, DEEPEST_INDENT) * INDENT_PX;
  return (
    <details className={classes.one} style={{ paddingLeft: indent }} open={open}>
      <summary className={classes.head}>
        {depth > 0 && (
          <span className="muted" aria-hidden="true">
            └
          </span>
        )}
        <strong>{task.name}</strong>
        <span className="mono muted">{task.coroutine}</span>
        <span className={classes.badge} data-running={task.state === "running" || undefined}>
          {t(`stacks.task.${task.state}`)}
        </span>
        {task.waits_for && <span className="muted">{t("stacks.waitsFor", { what: task.waits_for })}</span>}
        <Where span={task.span} />
        <Top frames={task.frames} />
      </summary>
      <Frames frames={task.frames} depth={task.frames.length} />
    </details>
  );
}

function Where({ span }: { span: StackSpan | null }) {
  if (!span) return null;
  return (
    <Link
      to="/traces/$traceId"
      params={{ traceId: span.trace_id }}
      search={{ span: span.span_id }}
      className="link"
      preload={false}
    >
      {span.endpoint || span.name}
    </Link>
  );
}

/** Where it stands, for a row that is folded. */
function Top({ frames: [first] }: { frames: readonly StackFrame[] }) {
  if (!first) return null;
  const [name, file, line] = first;
  return (
    <span className={classes.top}>
      {name} {shortPlaceOf(file, line)}
    </span>
  );
}

function Frames({ frames, depth }: { frames: readonly StackFrame[]; depth: number }) {
  const { t } = useWords();
  const { kind } = useMemo(() => framesOf(frames), [frames]);
  if (frames.length === 0) return <p className={classes.names}>{t("stacks.noFrames")}</p>;
  return (
    <ol className={classes.frames}>
      {frames.map(([name, file, line], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a stack may have the same frame twice, and does not move
        <li key={index} data-app={kind[index] === "app" || undefined}>
          <span className={classes.name}>{name}</span>
          <span className={classes.place} title={placeOf(file, line)}>
            {shortPlaceOf(file, line)}
          </span>
        </li>
      ))}
      {depth > frames.length && <li className="muted">… {t("stacks.deeper", { count: depth - frames.length })}</li>}
    </ol>
  );
}
