// Condition operators. Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Variables and tags"
// and "Multivalued context keys". An operator that is not in the tables is refused when the policy is written, never
// ignored.

import { BlockList, isIP } from "node:net";
import type { Fact, Facts } from "./facts.ts";
import { arnLike, like, patternOf, resolved, textOf } from "./patterns.ts";
import type { Pattern } from "./patterns.ts";

type Compare = (actual: string, wanted: Pattern) => boolean;

const text =
  (test: (actual: string, wanted: string) => boolean): Compare =>
  (actual, wanted) =>
    test(actual, textOf(wanted));
const equals = text((actual, wanted) => actual === wanted);
const equalsIgnoringCase = text((actual, wanted) => actual.toLowerCase() === wanted.toLowerCase());
const sameBytes = text((actual, wanted) => Buffer.from(actual, "base64").equals(Buffer.from(wanted, "base64")));
const numeric = (test: (a: number, b: number) => boolean): Compare => text((a, b) => test(numberOf(a), numberOf(b)));
const date = (test: (a: number, b: number) => boolean): Compare => text((a, b) => test(instantOf(a), instantOf(b)));
const less = (a: number, b: number): boolean => a < b;
const atMost = (a: number, b: number): boolean => a <= b;
const same = (a: number, b: number): boolean => a === b;

/** What is no number is NaN, which is neither less nor more than anything. `Number("")` would be 0. */
const numberOf = (value: string): number => (/^[+-]?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN);

const ISO = /^\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?$/i;

/** Milliseconds of a date in ISO 8601, in UTC if it names no zone, or in seconds since 1970. */
function instantOf(value: string): number {
  const seconds = numberOf(value);
  if (!Number.isNaN(seconds)) return seconds * 1000;
  const [iso, zone] = ISO.exec(value) ?? [];
  return iso === undefined ? Number.NaN : Date.parse(iso.includes("T") && zone === undefined ? `${iso}Z` : iso);
}

interface Family {
  readonly name: "ipv4" | "ipv6";
  readonly bits: number;
}
const FAMILIES = new Map<number, Family>([
  [4, { name: "ipv4", bits: 32 }],
  [6, { name: "ipv6", bits: 128 }],
]);
const familyOf = (address: string): Family | undefined => FAMILIES.get(isIP(address));

const inNetwork = text((actual, wanted) => {
  const [address, network = "", bits] = [actual.replace(/%.*$/, ""), ...wanted.split("/")];
  const [family, of] = [familyOf(address), familyOf(network)];
  if (family === undefined || of === undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  const length = bits === undefined ? of.bits : Number(bits);
  if (length > of.bits) return false;
  const networks = new BlockList();
  networks.addSubnet(network, length, of.name);
  return networks.check(address, family.name);
});

/** `none`: the operator wants none of the policy's values to fit. */
interface Operator {
  readonly compare: Compare;
  readonly sense: "any" | "none";
}
const any = (compare: Compare): Operator => ({ compare, sense: "any" });
const none = (compare: Compare): Operator => ({ compare, sense: "none" });

/** Operators whose values may have policy variables. */
const WITH_VARIABLES: Readonly<Record<string, Operator>> = {
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
};

const OPERATORS: Readonly<Record<string, Operator>> = {
  ...WITH_VARIABLES,
  Bool: any(equalsIgnoringCase),
  BinaryEquals: any(sameBytes),
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

function parseOperator(written: string): ParsedOperator | null {
  const [, set, name = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(written) ?? [];
  // Null asks whether the key exists: "if it exists" makes no sense with it, and AWS has no such operator.
  if (name === "Null" ? ifExists !== undefined : !Object.hasOwn(OPERATORS, name)) return null;
  return { set: (set as ParsedOperator["set"] | undefined) ?? null, name, ifExists: ifExists !== undefined };
}

export const isConditionOperator = (written: string): boolean => parseOperator(written) !== null;

/** One line of a statement's conditions. */
export interface Condition {
  readonly operator: string;
  /** In lower case. */
  readonly key: string;
  readonly values: readonly string[];
}

/** What counts of the statement that a condition stands in. */
export interface ConditionScope {
  readonly effect: "Allow" | "Deny";
  /** Whether `${…}` is a policy variable: only in policies of the version 2012-10-17. */
  readonly variables: boolean;
}

/** Whether a condition of a statement holds for what is known of the request. */
export function holds({ operator: written, key, values }: Condition, facts: Facts, scope: ConditionScope): boolean {
  const parsed = parseOperator(written);
  if (parsed === null) return false;
  const fact = facts.get(key);
  if (parsed.name === "Null") {
    const isNull = String(fact?.isNull ?? true);
    return values.some((value) => value.toLowerCase() === isNull);
  }
  const operator = OPERATORS[parsed.name];
  if (operator === undefined) return false;
  // AWS: an absent key fails the condition, but fulfils a negated one, IfExists, and ForAllValues.
  if (fact === undefined)
    return parsed.ifExists || parsed.set === "ForAllValues" || (operator.sense === "none" && parsed.set === null);
  const variables = scope.variables && Object.hasOwn(WITH_VARIABLES, parsed.name);
  const wanted = values.map((value) => (variables ? resolved(value, facts) : patternOf(value)));
  const fits = (value: string): boolean =>
    wanted.some((pattern) => pattern !== null && operator.compare(value, pattern)) === (operator.sense === "any");
  return wantsOne(parsed, operator, fact, scope) ? fact.values.some(fits) : fact.values.every(fits);
}

/** Whether one value that fits is enough, or all must. */
function wantsOne({ set }: ParsedOperator, { sense }: Operator, fact: Fact, { effect }: ConditionScope): boolean {
  // A single-valued key with several values (facts.ts) is read in the way that allows less.
  if (fact.kind === "single" && fact.values.length > 1) return effect === "Deny";
  return set === "ForAnyValue" || (set === null && sense === "any");
}
