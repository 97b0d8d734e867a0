// Condition operators. Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued
// context keys". An operator that is not in the table is refused when the policy is written, never ignored.

/** What is known of a request: condition key in lower case -> its values. */
export type Facts = ReadonlyMap<string, readonly string[]>;

type Compare = (actual: string, wanted: string) => boolean;

const equals: Compare = (actual, wanted) => actual === wanted;
const equalsIgnoringCase: Compare = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();
const numeric =
  (test: (a: number, b: number) => boolean): Compare =>
  (actual, wanted) =>
    test(Number(actual), Number(wanted));
const date =
  (test: (a: number, b: number) => boolean): Compare =>
  (actual, wanted) =>
    test(Date.parse(actual), /^\d+$/.test(wanted) ? Number(wanted) * 1000 : Date.parse(wanted));
const less = (a: number, b: number): boolean => a < b;
const atMost = (a: number, b: number): boolean => a <= b;
const same = (a: number, b: number): boolean => a === b;

/** Whether `text` fits a pattern with `*` and `?`. */
export function like(text: string, pattern: string): boolean {
  // Two pointers and a mark at the last star: linear in practice, and no regular expression that could run away.
  let [t, p, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") [star, mark, p] = [p, t, p + 1];
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) [t, p] = [t + 1, p + 1];
    else if (star >= 0) [mark, t, p] = [mark + 1, mark + 1, star + 1];
    else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** Each of an ARN's six parts fits by itself: a star does not reach over a colon. */
const arnLike: Compare = (actual, wanted) => {
  const [a, w] = [split(actual), split(wanted)];
  return a.length === w.length && a.every((part, i) => like(part, w[i] ?? ""));
};
const split = (arn: string): readonly string[] => {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
};

const inNetwork: Compare = (actual, wanted) => {
  const [network = "", bits = "32"] = wanted.split("/");
  const [a, n] = [ipv4(actual.replace(/^::ffff:/, "")), ipv4(network)];
  if (a === null || n === null) return actual === network;
  const mask = Number(bits) === 0 ? 0 : (0xffff_ffff << (32 - Number(bits))) >>> 0;
  return (a & mask) >>> 0 === (n & mask) >>> 0;
};
function ipv4(text: string): number | null {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** `not`: the operator wants none of the values to fit. */
interface Operator {
  readonly compare: Compare;
  readonly sense: "any" | "none";
}
const any = (compare: Compare): Operator => ({ compare, sense: "any" });
const none = (compare: Compare): Operator => ({ compare, sense: "none" });

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: any(equals),
  StringNotEquals: none(equals),
  StringEqualsIgnoreCase: any(equalsIgnoringCase),
  StringNotEqualsIgnoreCase: none(equalsIgnoringCase),
  StringLike: any(like),
  StringNotLike: none(like),
  ArnEquals: any(arnLike),
  ArnLike: any(arnLike),
  ArnNotEquals: none(arnLike),
  ArnNotLike: none(arnLike),
  Bool: any(equalsIgnoringCase),
  NumericEquals: any(numeric(same)),
  NumericNotEquals: none(numeric(same)),
  NumericLessThan: any(numeric(less)),
  NumericLessThanEquals: any(numeric(atMost)),
  NumericGreaterThan: any(numeric((a, b) => less(b, a))),
  NumericGreaterThanEquals: any(numeric((a, b) => atMost(b, a))),
  DateEquals: any(date(same)),
  DateNotEquals: none(date(same)),
  DateLessThan: any(date(less)),
  DateLessThanEquals: any(date(atMost)),
  DateGreaterThan: any(date((a, b) => less(b, a))),
  DateGreaterThanEquals: any(date((a, b) => atMost(b, a))),
  IpAddress: any(inNetwork),
  NotIpAddress: none(inNetwork),
};

interface ParsedOperator {
  readonly set: "ForAllValues" | "ForAnyValue" | null;
  readonly name: string;
  readonly ifExists: boolean;
}

function parseOperator(text: string): ParsedOperator | null {
  const [, set, name = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(text) ?? [];
  if (name !== "Null" && !Object.hasOwn(OPERATORS, name)) return null;
  return { set: (set as ParsedOperator["set"] | undefined) ?? null, name, ifExists: ifExists !== undefined };
}

export const isConditionOperator = (text: string): boolean => parseOperator(text) !== null;

/** Whether a condition holds for what is known of the request. */
export function holds(
  condition: { readonly operator: string; readonly key: string; readonly values: readonly string[] },
  facts: Facts,
): boolean {
  const parsed = parseOperator(condition.operator);
  if (parsed === null) return false;
  const actual = facts.get(condition.key);
  if (parsed.name === "Null") return condition.values.includes(String(actual === undefined));
  const operator = OPERATORS[parsed.name];
  if (operator === undefined) return false;
  // AWS: an absent key fails the condition, but fulfils a negated one, IfExists, and ForAllValues.
  if (actual === undefined || actual.length === 0)
    return parsed.ifExists || parsed.set === "ForAllValues" || (operator.sense === "none" && parsed.set === null);
  const fits = (value: string): boolean =>
    condition.values.some((wanted) => operator.compare(value, wanted)) === (operator.sense === "any");
  return parsed.set === "ForAnyValue" || (parsed.set === null && operator.sense === "any")
    ? actual.some(fits)
    : actual.every(fits);
}
