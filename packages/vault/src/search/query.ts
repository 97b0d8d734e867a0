/**
 * What is looked for: a condition for each field, all of which a record must meet. What cannot be looked for is told
 * with everything that is wrong, and without a value.
 */
import { ownOptions } from "@strongroom/base/options";
import type { Declaration } from "../collections/declaration.ts";
import { fieldOf } from "../collections/field-path.ts";
import { VaultError } from "../errors.ts";
import type { Normaliser } from "../normalisers/normaliser.ts";
import type { JsonObject } from "../records/json.ts";
import { bucketForm, dayOf, formOf, formsAt, prefixForm, searchText, valuesAt } from "./forms.ts";
import type { Width } from "./forms.ts";

/** What is looked for in one field: a value in any spelling, the beginning of one, or a range with both of its ends. */
export type FieldQuery =
  | string
  | number
  | boolean
  | { readonly prefix: string }
  | { readonly from: string | number; readonly to: string | number };

/** What is looked for, by the paths of declared fields: records that meet all of it. */
export type FindQuery<Found extends string = string> = Readonly<Partial<Record<Found, FieldQuery>>>;

/** The paths that a query names, whatever it is: who may look for them is asked before it is parsed. */
export const pathsAsked = (query: unknown): readonly string[] =>
  typeof query === "object" && query !== null ? Object.keys(query) : [];

/** A condition, parsed. */
export type Condition =
  | { readonly kind: "equals"; readonly path: string; readonly normaliser: Normaliser; readonly form: string }
  | { readonly kind: "prefix"; readonly path: string; readonly normaliser: Normaliser; readonly text: string }
  | {
      readonly kind: "range";
      readonly path: string;
      readonly normaliser: Normaliser;
      /** Of the index: the ranges that the wanted one is in, by their forms. */
      readonly buckets: readonly string[];
      readonly from: string | number;
      readonly to: string | number;
    };

/** Most fields of one query, and most ranges that one of them goes over. */
const MAX_CONDITIONS = 8;
const MAX_BUCKETS = 64;
/** Characters of a value that is looked for. */
const MAX_VALUE = 65_536;

/**
 * The conditions of a query, in the order of their paths.
 *
 * @throws VaultError `find-invalid` with everything that is wrong
 */
export function parseQuery(declaration: Declaration, given: unknown): readonly Condition[] {
  const names = pathsAsked(given).slice(0, MAX_CONDITIONS);
  const { values, problems: found } = ownOptions(given, names, "what is looked for");
  const problems = found.length === 0 ? [] : ["it must be one object of up to 8 fields"];
  const conditions: Condition[] = [];
  for (const [path, value] of Object.entries(values)) {
    const parsed = conditionOf(declaration, path, value);
    if (typeof parsed === "string") problems.push(`${fieldOf(path.split("."))}: ${parsed}`);
    else conditions.push(parsed);
  }
  if (problems.length === 0 && conditions.length === 0) problems.push("nothing is looked for");
  if (problems.length > 0) throw new VaultError("find-invalid", `It cannot be looked for: ${problems.join("; ")}`);
  return conditions.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A text: what is wrong with it. */
function conditionOf({ collection, fields }: Declaration, path: string, value: unknown): Condition | string {
  const { find: normaliser, prefix, buckets } = fields.get(path) ?? {};
  if (normaliser === undefined) return `no field that records of ${collection} are found by`;
  if (typeof value !== "object" || value === null) {
    const form = isValue(value) ? formOf(normaliser, value) : null;
    return form === null
      ? "a text that is not empty, a number, true or false"
      : { kind: "equals", path, normaliser, form };
  }
  const { values: own } = ownOptions(value, ["prefix", "from", "to"]);
  const kinds = Object.keys(own).sort().join();
  if (kinds === "prefix") {
    if (prefix === undefined) return "no prefix is declared of it";
    return prefixOf(path, normaliser, own["prefix"], prefix);
  }
  if (kinds !== "from,to") return "a value, { prefix }, or { from, to }";
  if (buckets === undefined) return "no buckets are declared of it";
  return rangeOf({ path, normaliser, width: buckets }, own["from"], own["to"]);
}

const isValue = (value: unknown): boolean =>
  typeof value === "string"
    ? value.length <= MAX_VALUE && value.isWellFormed()
    : typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));

function prefixOf(path: string, normaliser: Normaliser, value: unknown, length: number): Condition | string {
  const form = typeof value === "string" && isValue(value) ? formOf(normaliser, value) : null;
  const text = form === null ? "" : searchText(normaliser, form);
  return prefixForm(text, length) === null
    ? `a prefix has ${length} characters at least, which are letters or digits where the field's kind has no others`
    : { kind: "prefix", path, normaliser, text };
}

interface RangedField {
  readonly path: string;
  readonly normaliser: Normaliser;
  readonly width: Width;
}

function rangeOf({ path, normaliser, width }: RangedField, from: unknown, to: unknown): Condition | string {
  const [first, last] = [endOf(width, normaliser, from), endOf(width, normaliser, to)];
  if (first === null || last === null)
    return typeof width === "number" ? "both ends must be numbers" : "both ends must be dates, such as 2026-11-28";
  if (first > last) return "the range ends before it begins";
  const buckets = bucketsBetween(width, normaliser, first, last);
  if (buckets === null) return `the range goes over more than ${MAX_BUCKETS} buckets`;
  return { kind: "range", path, normaliser, buckets, from: first, to: last };
}

/** A number, or a day as text: both are compared as they are. */
function endOf(width: Width, normaliser: Normaliser, value: unknown): string | number | null {
  if (typeof width !== "number") return typeof value === "string" ? dayOf(normaliser, value) : null;
  return typeof value === "number" && bucketForm(width, normaliser, value) !== null ? value : null;
}

/** Null: there are too many. */
function bucketsBetween(
  width: Width,
  normaliser: Normaliser,
  from: string | number,
  to: string | number,
): readonly string[] | null {
  const found: string[] = [];
  if (typeof width === "number") {
    const [first, last] = [Math.floor(Number(from) / width), Math.floor(Number(to) / width)];
    if (last - first >= MAX_BUCKETS) return null;
    for (let range = first; range <= last; range++) found.push(String(range));
    return found;
  }
  const last = bucketForm(width, normaliser, to);
  for (let day = String(from); ; day = following(width, day)) {
    const range = bucketForm(width, normaliser, day);
    if (range === null || last === null || range > last) return found;
    if (found.length === MAX_BUCKETS) return null;
    found.push(range);
  }
}

/** A day of the next range. */
function following(width: "day" | "month" | "year", day: string): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const next = width === "day" ? [year, month - 1, date + 1] : width === "month" ? [year, month, 1] : [year + 1, 0, 1];
  // Of years below 100 the constructor makes others.
  const moment = new Date(0);
  moment.setUTCFullYear(next[0] ?? 0, next[1], next[2]);
  return moment.toISOString().slice(0, 10);
}

/** Whether a document meets a condition: compared by its forms, as the index would have it. */
export function meets(document: JsonObject, condition: Condition): boolean {
  const { path, normaliser } = condition;
  if (condition.kind === "equals") return formsAt(document, path, normaliser).includes(condition.form);
  if (condition.kind === "prefix")
    return formsAt(document, path, normaliser).some((form) => searchText(normaliser, form).startsWith(condition.text));
  const { from, to } = condition;
  return valuesAt(document, path).some((value) => {
    const own = typeof from === "number" ? value : dayOf(normaliser, value);
    return own !== null && typeof own === typeof from && (own as typeof from) >= from && (own as typeof to) <= to;
  });
}
