import { type ReactNode, useMemo, useState } from "react";

import { bytes, text } from "../../domain/format";
import { type Translate, useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Figure, FigureRow } from "../Figure";
import { Meter } from "../Meter";
import { Name } from "../Name";
import { Panel } from "../Panel";
import { shortPlaceOf } from "../profile/frames";
import type { DiagReport, HeapSpace, Limit, UvHandle, Variable } from "./diagReport";
import classes from "./Nodejs.module.css";

/** What a process was, had and did at one moment. */
export function DiagReportView({ report }: { report: DiagReport }) {
  const { t } = useWords();
  const heap = report.heapStatistics;
  const share = heap.heapLimit ? (heap.heapTotalUsed ?? 0) / heap.heapLimit : null;
  return (
    <>
      <FigureRow>
        <Figure label={t("diag.heapUsed")} of={bytes(heap.heapTotalUsed)}>
          {t("nodes.of", { used: text(bytes(heap.heapTotal)), total: text(bytes(heap.heapLimit)) })}
        </Figure>
        <Figure label={t("diag.handles")} of={{ value: String(report.libuvHandles.length), unit: "" }}>
          {t("diag.active", { count: report.libuvHandles.filter(({ isActive }) => isActive).length })}
        </Figure>
        <Figure label={t("diag.state")} of={{ value: report.vmState || "–", unit: "" }} />
        <Figure label={t("diag.why")} of={{ value: report.message || report.location || "–", unit: "" }} />
      </FigureRow>
      <Panel title={t("diag.about")} testId={TEST_IDS.diagReport}>
        <dl className={classes.facts}>
          <Fact name="PID">{report.pid}</Fact>
          <Fact name={t("nodejs.thread")}>{report.thread_id}</Fact>
          <Fact name="Node.js">{report.nodeVersion}</Fact>
          <Fact name={t("diag.os")}>{report.osVersion}</Fact>
          <Fact name={t("diag.loaded")}>{report.loadTime}</Fact>
          <Fact name={t("diag.dumped")}>{report.dumpTime}</Fact>
        </dl>
      </Panel>
      <div className={classes.pair}>
        <JsStack report={report} />
        <NativeStack report={report} />
      </div>
      <Panel title={t("diag.heap")} flush aside={<HeapMeter share={share} title={t("diag.heapUsed")} />}>
        <SortedTable
          label={t("diag.heap")}
          rows={report.heapSpaceStatistics}
          keyOf={({ name }) => name}
          columns={spaceColumns(t)}
          first="-used"
        />
      </Panel>
      <Panel title={t("diag.handlesOf", { count: report.libuvHandles.length })} flush>
        <SortedTable
          label={t("diag.handles")}
          rows={report.libuvHandles}
          keyOf={({ address, type }) => `${type} ${address}`}
          columns={handleColumns(t)}
          first="type"
        />
      </Panel>
      <Environment variables={report.environment} />
      <div className={classes.pair}>
        <Panel title={t("diag.limits")} flush>
          <SortedTable
            label={t("diag.limits")}
            rows={report.limits}
            keyOf={({ type }) => type}
            columns={limitColumns(t)}
          />
        </Panel>
        <Panel title={t("diag.libraries", { count: report.libraries.length })}>
          <ul className={`${classes.lines} ${classes.scrolled}`}>
            {report.libraries.map((library) => (
              <li key={library}>{library}</li>
            ))}
          </ul>
        </Panel>
      </div>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function HeapMeter({ share, title }: { share: number | null; title: string }) {
  return (
    <div style={{ width: 180 }}>
      <Meter fraction={share} title={title} />
    </div>
  );
}

function JsStack({ report }: { report: DiagReport }) {
  const { t } = useWords();
  return (
    <Panel title={t("diag.jsStack")}>
      {report.jsStacks.length === 0 ? (
        <Empty title={t("diag.noStack")} />
      ) : (
        <ol className={`${classes.lines} ${classes.scrolled}`}>
          {report.jsStacks.map(({ functionName, scriptName, lineNumber, column, frameType }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: frames have no id and never change places
            <li key={index} title={`${scriptName}:${lineNumber}:${column}`}>
              <strong>{functionName || "(anonymous)"}</strong>
              <span className="muted">{shortPlaceOf(scriptName, lineNumber)}</span>
              <span className="muted">{frameType}</span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function NativeStack({ report }: { report: DiagReport }) {
  const { t } = useWords();
  return (
    <Panel title={t("diag.nativeStack")}>
      {report.nativeStacks.length === 0 ? (
        <Empty title={t("diag.noStack")} />
      ) : (
        <ol className={`${classes.lines} ${classes.scrolled}`}>
          {report.nativeStacks.map(({ pcAddress, symbolName, sharedObjectName }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: frames have no id and never change places
            <li key={index}>
              <strong>{symbolName || pcAddress}</strong>
              <span className="muted">{sharedObjectName}</span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Environment({ variables }: { variables: readonly Variable[] }) {
  const { t } = useWords();
  const columns = useMemo<Column<Variable>[]>(
    () => [
      {
        key: "name",
        header: t("name"),
        width: 260,
        sortBy: ({ name }) => name,
        cell: ({ name }) => <Name mono>{name}</Name>,
      },
      {
        key: "value",
        header: t("diag.value"),
        cell: ({ value, masked }) => (
          <span className={masked ? "muted" : undefined}>
            <Name mono>{value}</Name>
          </span>
        ),
      },
    ],
    [t],
  );
  const masked = variables.filter((one) => one.masked).length;
  return (
    <Panel
      title={t("diag.environment", { count: variables.length })}
      flush
      aside={masked > 0 && t("diag.masked", { count: masked })}
    >
      <SortedTable
        label={t("diag.environment", { count: variables.length })}
        rows={variables}
        keyOf={({ name }) => name}
        columns={columns}
      />
    </Panel>
  );
}

interface TableProps<Row> {
  label: string;
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  columns: readonly Column<Row>[];
  first?: string;
}

function SortedTable<Row>({ label, rows, keyOf, columns, first }: TableProps<Row>) {
  const { t } = useWords();
  const [sort, setSort] = useState(first);
  if (rows.length === 0) return <Empty title={t("profile.none")} />;
  return (
    <DataTable
      label={label}
      columns={columns}
      rows={rows}
      rowKey={keyOf}
      sort={sort}
      onSort={setSort}
      rowHeight={28}
      restWidth={220}
      maxHeight="44dvh"
    />
  );
}

function spaceColumns(t: Translate): Column<HeapSpace>[] {
  const sized = (key: "used" | "available" | "committed" | "size"): Column<HeapSpace> => ({
    key,
    header: t(`diag.${key}`),
    width: 120,
    align: "right",
    sortBy: (space) => space[key],
    cell: (space) => <Amount of={bytes(space[key])} unitWidth={4} />,
  });
  return [
    { key: "name", header: t("name"), sortBy: ({ name }) => name, cell: ({ name }) => <Name mono>{name}</Name> },
    sized("used"),
    sized("available"),
    sized("committed"),
    sized("size"),
  ];
}

const handleColumns = (t: Translate): Column<UvHandle>[] => [
  { key: "type", header: t("type"), width: 110, sortBy: ({ type }) => type, cell: ({ type }) => type },
  {
    key: "state",
    header: t("status"),
    width: 190,
    sortBy: ({ isActive, hasRef }) => isActive * 2 + hasRef,
    cell: ({ isActive, hasRef }) => (
      <span className={isActive ? undefined : "muted"}>
        {t(isActive ? "diag.handle.active" : "diag.handle.idle")}
        {hasRef ? ` · ${t("diag.handle.ref")}` : ""}
      </span>
    ),
  },
  { key: "detail", header: t("diag.detail"), cell: ({ detail }) => <Name mono>{detail}</Name> },
  { key: "address", header: t("diag.address"), width: 140, cell: ({ address }) => <Name mono>{address}</Name> },
];

const limitColumns = (t: Translate): Column<Limit>[] => [
  { key: "type", header: t("type"), sortBy: ({ type }) => type, cell: ({ type }) => <Name>{type}</Name> },
  { key: "soft", header: t("diag.soft"), width: 120, align: "right", cell: ({ softLimit }) => softLimit },
  { key: "hard", header: t("diag.hard"), width: 120, align: "right", cell: ({ hardLimit }) => hardLimit },
];
