/** Conditions on attributes as they stand in an address: `user.tier=gold`, `cart.items>10`, `error.type?`. */

export const OPERATORS = ["=", "!=", "~", ">", ">=", "<", "<=", "?"] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  key: string;
  operator: Operator;
  value: string;
}

const NUMERIC: ReadonlySet<Operator> = new Set([">", ">=", "<", "<="]);

/** `undefined` for what the server would refuse. */
export function readCondition(text: string): Condition | undefined {
  const [, key, operator, value] = text.match(/^([^=!~<>?]+)(!=|>=|<=|=|~|>|<|\?)(.*)$/s) ?? [];
  if (key === undefined || operator === undefined || value === undefined) return undefined;
  const condition = { key, operator: operator as Operator, value };
  return isComplete(condition) ? condition : undefined;
}

export const writeCondition = ({ key, operator, value }: Condition) => `${key}${operator}${value}`;

export function isComplete({ key, operator, value }: Condition): boolean {
  if (key === "" || /[=!~<>?]/.test(key)) return false;
  if (operator === "?") return value === "";
  return NUMERIC.has(operator) ? value !== "" && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value) : true;
}

/** What the address has, one or several. */
export const conditionsOf = (given: string | readonly string[] | undefined): readonly string[] =>
  given === undefined ? [] : typeof given === "string" ? [given] : given;
