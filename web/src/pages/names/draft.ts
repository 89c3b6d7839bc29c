/** A rule about names while it is being typed. */

import type { NamesWish } from "../../api/statistics";
import type { NameRule, RuleKind } from "../../api/statisticsTypes";

export interface RuleDraft {
  kind: RuleKind;
  service: string;
  pattern: string;
  name: string;
  target_app: string;
}

export const NO_RULE: RuleDraft = { kind: "endpoint", service: "", pattern: "", name: "", target_app: "" };

type Field = Exclude<keyof RuleDraft, "kind">;

/** What each kind of rule cannot do without, and what it takes. */
const NEEDS: Record<RuleKind, readonly Field[]> = {
  alias: ["service", "name"],
  endpoint: ["pattern", "name"],
  hide: ["service"],
  move: ["service", "target_app"],
};

export const takes = (kind: RuleKind, field: Field) =>
  NEEDS[kind].includes(field) || (kind === "endpoint" && field === "service");

export const isWhole = (draft: RuleDraft) => NEEDS[draft.kind].every((field) => draft[field] !== "");

/** Fields that the kind has no use for are left out: the server refuses them. */
export function wishOf(draft: RuleDraft): NamesWish {
  const wish: NamesWish = { kind: draft.kind };
  for (const field of ["service", "pattern", "name", "target_app"] as const) {
    if (takes(draft.kind, field) && draft[field] !== "") wish[field] = draft[field];
  }
  return wish;
}

export const draftOf = ({ kind, service, pattern, name, target_app }: NameRule): RuleDraft => ({
  kind,
  service,
  pattern,
  name,
  target_app: target_app ?? "",
});
