import { Autocomplete } from "@mantine/core";
import { useMemo } from "react";

import { count, percent, text } from "../../domain/format";
import { useWords } from "../../i18n";
import { TEST_IDS } from "../../testIds";
import { Amount } from "../Amount";
import { type Column, DataTable } from "../DataTable";
import { Empty } from "../Empty";
import { Name } from "../Name";
import { weightText } from "./amounts";
import { Cost } from "./CostTable";
import { placeOf } from "./frames";
import type { Neighbour, Neighbourhood } from "./functions";
import classes from "./ProfileView.module.css";
import type { WeightUnit } from "./profile";

export interface NamedFunction {
  key: string;
  name: string;
  file: string;
  line: number;
}

interface Props {
  /** To choose from, heaviest first. */
  functions: readonly NamedFunction[];
  centre: NamedFunction;
  around: Neighbourhood;
  unit: WeightUnit;
  all: number;
  words: string;
  onOpen: (one: NamedFunction) => void;
}

const MOST_CHOICES = 200;

/** One function: left who called it, right whom it called. A row leads on to that function. */
export function Butterfly({ functions, centre, around, unit, all, words, onOpen }: Props) {
  const { t } = useWords();
  const choices = useMemo(() => new Map(functions.map((one) => [labelOf(one), one])), [functions]);
  const wanted = words.toLowerCase();
  const shown = (rows: readonly Neighbour[]) =>
    rows.filter(({ name, file }) => `${name}\n${file}`.toLowerCase().includes(wanted));
  return (
    <div data-testid={TEST_IDS.butterfly}>
      <div className={classes.centre}>
        <h3 className={classes.centreName}>{centre.name}</h3>
        {centre.file && <span className="mono muted">{placeOf(centre.file, centre.line)}</span>}
        <span>
          {t("flame.self")} {text(weightText(around.self, unit))} · {text(percent(all ? around.self / all : null))}
        </span>
        <span>
          {t("flame.total")} {text(weightText(around.total, unit))} · {text(percent(all ? around.total / all : null))}
        </span>
        <Autocomplete
          key={centre.key}
          ml="auto"
          w={300}
          maw="100%"
          size="xs"
          placeholder={t("profile.chooseFunction")}
          aria-label={t("profile.chooseFunction")}
          data={[...choices.keys()]}
          limit={MOST_CHOICES}
          onOptionSubmit={(label) => {
            const one = choices.get(label);
            if (one) onOpen(one);
          }}
        />
      </div>
      <div className={classes.pair}>
        <Side title={t("service.callers")} rows={shown(around.callers)} all={around.total} {...{ unit, onOpen }} />
        <Side title={t("service.callees")} rows={shown(around.callees)} all={around.total} {...{ unit, onOpen }} />
      </div>
    </div>
  );
}

const labelOf = ({ name, file, line }: NamedFunction) => [name, placeOf(file, line)].filter(Boolean).join(" · ");

interface SideProps {
  title: string;
  rows: readonly Neighbour[];
  all: number;
  unit: WeightUnit;
  onOpen: (one: NamedFunction) => void;
}

function Side({ title, rows, all, unit, onOpen }: SideProps) {
  const { t } = useWords();
  const counted = rows.some(({ calls }) => calls !== undefined);
  const columns = useMemo<Column<Neighbour>[]>(
    () => [
      {
        key: "name",
        header: t("profile.by.function"),
        cell: ({ name, file, line }) => (
          <span title={[name, placeOf(file, line)].filter(Boolean).join("\n")}>
            <Name mono>{name}</Name>
          </span>
        ),
      },
      ...(counted
        ? [
            {
              key: "calls",
              header: t("profile.calls"),
              width: 100,
              align: "right" as const,
              cell: ({ calls }: Neighbour) => <Amount of={count(calls)} />,
            },
          ]
        : []),
      {
        key: "weight",
        header: t("profile.weight"),
        width: 230,
        align: "right",
        cell: ({ weight }) => <Cost weight={weight} all={all} most={rows[0]?.weight ?? 0} unit={unit} />,
      },
    ],
    [t, rows, all, unit, counted],
  );
  return (
    <div>
      <h4 className={classes.pairTitle}>{title}</h4>
      {rows.length === 0 ? (
        <Empty title={t("profile.none")} />
      ) : (
        <DataTable
          label={title}
          columns={columns}
          rows={rows}
          rowKey={({ key }) => key}
          onOpen={onOpen}
          rowHeight={30}
          restWidth={180}
          maxHeight="52dvh"
        />
      )}
    </div>
  );
}
