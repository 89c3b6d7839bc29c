import { SegmentedControl } from "@mantine/core";

import type { AlarmBaseline, AlarmCondition, AlarmRuleDocument, Op, WhenNoData } from "../../api/alarmsTypes";
import { useWords } from "../../i18n";
import { said, unitOf } from "../../parts/alarms/amounts";
import { HAS_BASELINE } from "../../parts/alarms/fields";
import { TEST_IDS } from "../../testIds";
import { ChoiceField } from "./ChoiceField";
import { NO_WORDS, NumberField } from "./NumberField";
import classes from "./RuleEditor.module.css";
import { SecondsInput } from "./SecondsInput";

const OPS: readonly Op[] = [">", ">=", "<", "<="];
const WHEN_NO_DATA: readonly WhenNoData[] = ["no_data", "ok", "fire"];
const USUAL: AlarmBaseline = { every: "day", periods: 7, k: 4, floor: 0, floor_ratio: 0.1 };

interface Props {
  rule: AlarmRuleDocument;
  onChange: (condition: AlarmCondition) => void;
}

/** From where on, and for how long, it is an alarm; and when it is over. */
export function ConditionForm({ rule: { what, group_by, condition }, onChange }: Props) {
  const { t } = useWords();
  const unit = unitOf(what);
  const { baseline } = condition;
  const change = (part: Partial<AlarmCondition>) => onChange({ ...condition, ...part });
  const amount = (value: number | null) => (value === null ? NO_WORDS : said(value, unit, what));
  // a group that is not known cannot be missed
  const mayFire = group_by.length === 0 && !["host", "agent", "promql"].includes(what.kind);
  return (
    <div className={classes.fields}>
      {HAS_BASELINE.includes(what.kind) && (
        <SegmentedControl
          size="xs"
          style={{ gridColumn: "1 / -1", justifySelf: "start" }}
          aria-label={t("alarms.threshold")}
          value={baseline ? "baseline" : "fixed"}
          onChange={(next) =>
            change(
              next === "fixed"
                ? { baseline: null, threshold: 0.5 }
                : { baseline: USUAL, threshold: null, recovery_threshold: null },
            )
          }
          data={[
            { value: "fixed", label: t("alarms.fixed") },
            { value: "baseline", label: t("alarms.baseline") },
          ]}
        />
      )}
      <ChoiceField
        label={t("alarms.op")}
        description={NO_WORDS}
        value={condition.op}
        choices={OPS}
        onChange={(op) => change({ op })}
      />
      {baseline ? (
        <BaselineFields baseline={baseline} onChange={(next) => change({ baseline: next })} />
      ) : (
        <>
          <NumberField
            label={t("alarms.threshold")}
            description={amount(condition.threshold)}
            value={condition.threshold}
            onChange={(threshold) => change({ threshold })}
            onEmpty={() => change({ threshold: null })}
            testId={TEST_IDS.ruleThreshold}
          />
          <NumberField
            label={t("alarms.recovery")}
            description={amount(condition.recovery_threshold)}
            value={condition.recovery_threshold}
            onChange={(recovery_threshold) => change({ recovery_threshold })}
            onEmpty={() => change({ recovery_threshold: null })}
          />
        </>
      )}
      <SecondsInput label={t("alarms.for")} value={condition.for_s} onChange={(for_s) => change({ for_s })} />
      <SecondsInput
        label={t("alarms.recoverFor")}
        value={condition.recover_for_s}
        onChange={(recover_for_s) => change({ recover_for_s })}
      />
      {what.kind === "statistic" && (
        <NumberField
          label={t("alarms.requestsLeast")}
          least={0}
          whole
          value={condition.requests_least}
          onChange={(requests_least) => change({ requests_least })}
        />
      )}
      <ChoiceField
        label={t("alarms.whenNoData")}
        description={NO_WORDS}
        value={condition.when_no_data}
        choices={WHEN_NO_DATA.filter((one) => one !== "fire" || mayFire || condition.when_no_data === "fire")}
        textOf={(one) => t(`alarms.whenNoData.${one}`)}
        onChange={(when_no_data) => change({ when_no_data })}
      />
    </div>
  );
}

interface BaselineProps {
  baseline: AlarmBaseline;
  onChange: (baseline: AlarmBaseline) => void;
}

function BaselineFields({ baseline, onChange }: BaselineProps) {
  const { t } = useWords();
  const number = (label: string, name: "periods" | "k" | "floor" | "floor_ratio", least: number, most?: number) => (
    <NumberField
      label={label}
      least={least}
      most={most}
      whole={name === "periods"}
      value={baseline[name]}
      onChange={(next) => onChange({ ...baseline, [name]: next })}
    />
  );
  return (
    <>
      <ChoiceField
        label={t("alarms.baseline.every")}
        description={NO_WORDS}
        value={baseline.every}
        choices={["day", "week"]}
        textOf={(one) => t(`alarms.baseline.${one}`)}
        onChange={(every) => onChange({ ...baseline, every })}
      />
      {number(t("alarms.baseline.periods"), "periods", 3, 14)}
      {number(t("alarms.baseline.k"), "k", 0, 100)}
      {number(t("alarms.baseline.floor"), "floor", 0)}
      {number(t("alarms.baseline.floorRatio"), "floor_ratio", 0, 10)}
    </>
  );
}
