import { useEffect, useMemo, useRef, useState } from "react";

import { bytes, percent, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { TableSkeleton } from "../Skeletons";
import type { HeapObject, HeapObjectReport, HeldObject } from "./messages";
import { named } from "./named";
import classes from "./ObjectView.module.css";
import type { Ask } from "./SnapshotView";

interface Props {
  ask: Ask;
  id: number;
  /** Size of the whole heap. */
  all: number;
  onOpen: (id: number) => void;
  onClass: (name: string) => void;
}

/** One object: how it is reached, who holds it, what it holds. */
export function ObjectView({ ask, id, all, onOpen, onClass }: Props) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [found, setFound] = useState<HeapObjectReport | null | undefined>(undefined);
  useEffect(() => {
    let isWanted = true;
    void ask({ kind: "object", id }).then((answer) => isWanted && setFound(answer as HeapObjectReport | null));
    return () => {
      isWanted = false;
    };
  }, [ask, id]);
  useEffect(() => {
    if (found) box.current?.scrollIntoView({ block: "nearest" });
  }, [found]);
  return (
    <div ref={box}>
      <Panel title={t("snapshot.objectId", { id })} flush testId={TEST_IDS.heapObject}>
        {found === undefined ? (
          <TableSkeleton rows={3} />
        ) : found === null ? (
          <Empty title={t("snapshot.gone")} />
        ) : (
          <Report report={found} all={all} onOpen={onOpen} onClass={onClass} />
        )}
      </Panel>
    </div>
  );
}

interface ReportProps {
  report: HeapObjectReport;
  all: number;
  onOpen: (id: number) => void;
  onClass: (name: string) => void;
}

function Report({ report, all, onOpen, onClass }: ReportProps) {
  const { t } = useWords();
  const columns = useMemo(() => sideColumns(t, onOpen), [t, onOpen]);
  const { dominator } = report;
  return (
    <>
      <div className={classes.about}>
        <p className={classes.name}>{named(report)}</p>
        <p className={classes.facts}>
          <button type="button" className={classes.link} onClick={() => onClass(report.constructor_name)}>
            {report.constructor_name}
          </button>
          <span>
            {t("snapshot.shallow")} {text(bytes(report.bytes))}
          </span>
          <span>
            {t("snapshot.retained")} {text(bytes(report.retained_bytes))} ({text(percent(report.retained_bytes / all))})
          </span>
          {dominator && (
            <span>
              {t("snapshot.dominator")} <ObjectLink object={dominator} onOpen={onOpen} />
            </span>
          )}
        </p>
        <h3 className={classes.title}>{t("snapshot.way")}</h3>
        {report.way.length === 0 ? (
          <p className="muted">{t("snapshot.noWay")}</p>
        ) : (
          <ol className={classes.way}>
            {report.way.map((step, index) => (
              <li key={step.id} style={{ paddingLeft: `${Math.min(index, 12) * 10}px` }}>
                {index > 0 && <span className={classes.by}>{step.by}</span>}
                <ObjectLink object={step} onOpen={onOpen} />{" "}
                <span className="muted">{text(bytes(step.retained_bytes))}</span>
              </li>
            ))}
          </ol>
        )}
      </div>
      <div className={classes.pair}>
        <Side title={t("snapshot.holders", { count: report.holder_count })} rows={report.holders} columns={columns} />
        <Side title={t("snapshot.holds", { count: report.held_count })} rows={report.holds} columns={columns} />
      </div>
    </>
  );
}

function Side({ title, rows, columns }: { title: string; rows: readonly HeldObject[]; columns: Column<HeldObject>[] }) {
  const { t } = useWords();
  const numbered = useMemo(() => rows.map((row, index) => ({ ...row, index })), [rows]);
  return (
    <div className={classes.side}>
      <h3 className={classes.sideTitle}>{title}</h3>
      {rows.length === 0 ? (
        <Empty title={t("profile.none")} />
      ) : (
        <DataTable
          label={title}
          columns={columns as Column<HeldObject & { index: number }>[]}
          rows={numbered}
          rowKey={({ index }) => String(index)}
          rowHeight={28}
          restWidth={150}
          maxHeight="40dvh"
        />
      )}
    </div>
  );
}

function ObjectLink({ object, onOpen }: { object: HeapObject; onOpen: (id: number) => void }) {
  return (
    <button type="button" className={classes.link} title={named(object)} onClick={() => onOpen(object.id)}>
      {shortened(named(object))} <span className="muted">@{object.id}</span>
    </button>
  );
}

const MOST_LETTERS = 60;
const shortened = (words: string) => (words.length > MOST_LETTERS ? `${words.slice(0, MOST_LETTERS)}…` : words);

const sideColumns = (t: Translate, onOpen: (id: number) => void): Column<HeldObject>[] => [
  { key: "by", header: t("snapshot.by"), width: 150, cell: ({ by }) => <Name mono>{by}</Name> },
  {
    key: "name",
    header: t("snapshot.object"),
    cell: (row) => (
      <button type="button" className={classes.cell} onClick={() => onOpen(row.id)}>
        <Name mono>{`${named(row)} @${row.id}`}</Name>
      </button>
    ),
  },
  {
    key: "distance",
    header: t("snapshot.distance"),
    width: 76,
    align: "right",
    cell: ({ distance }) => (distance < 0 ? "–" : distance),
  },
  {
    key: "retained",
    header: t("snapshot.retained"),
    width: 110,
    align: "right",
    cell: ({ retained_bytes }) => <Amount of={bytes(retained_bytes)} unitWidth={4} />,
  },
];
