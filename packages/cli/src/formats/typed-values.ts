// The typed values of database exports, taken out of their wrapping: DynamoDB's JSON (`{"S":"x"}`) and MongoDB's
// Extended JSON (`{"$oid":"…"}`). A number becomes a number where one holds its value exactly, else a text of its
// digits; bytes become base64. What is no value of theirs is refused with its field named, never stored as it stands.
// Own code and not their libraries: these make Dates, Sets and classes of it, and bring the databases' clients along.
import { parseJson } from "@strongroom/vault";
import { isBase64 } from "./base64.ts";
import { type Document, isDocument } from "./document.ts";
import type { TypedValues } from "./typed-value-names.ts";

/** Takes the values of a record out of their wrapping. Throws RangeError with a reason that names the field. */
export function unwrapDocument(document: Document, from: TypedValues): Document {
  return UNWRAP[from](document);
}

const UNWRAP: Readonly<Record<TypedValues, (document: Document) => Document>> = {
  dynamodb: (document) => members(dynamoItem(document), "", dynamoValue),
  mongodb: (document) => members(document, "", mongoValue),
};

/** Whose typed values a record seems to hold: for a hint only, since anybody's document may have a member "S". */
export function looksTyped(document: Document): TypedValues | null {
  const values = Object.values(document);
  if (Object.keys(document).join() === "Item" || (values.length > 0 && values.every(isDynamoValue))) return "dynamodb";
  return values.some((value) => isDocument(value) && Object.hasOwn(MONGO, Object.keys(value).sort().join()))
    ? "mongodb"
    : null;
}

type Unwrap = (value: unknown, field: string) => unknown;

function members(document: Document, prefix: string, unwrap: Unwrap): Document {
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => [name, unwrap(value, prefix + name.replaceAll(".", "\\."))]),
  );
}

function refuse(field: string, what: string): never {
  throw new RangeError(`${field} ${what}`);
}

/** A number, or the text of its digits where a double would change it; null: it is none. */
function exactNumber(digits: string): number | string | null {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?$/i.test(digits)) return null;
  try {
    const value = parseJson(Buffer.from(digits));
    return typeof value === "number" ? value : digits;
  } catch {
    return digits;
  }
}

/**
 * The item of a line: of a full export to S3 (`{"Item":…}`), of an incremental one (`{"Keys":…,"NewImage":…}`), or the
 * line itself, as `scan` gives its items.
 */
function dynamoItem(document: Document): Document {
  const { Item: item, Keys: keys, NewImage: image, OldImage: before } = document;
  if (Object.keys(document).length === 1 && isDocument(item)) return isDynamoValue(item) ? document : item;
  if (!isDocument(keys) || isDynamoValue(keys)) return document;
  if (isDocument(image)) return image;
  throw new RangeError(before === undefined ? "holds keys and no item" : "is the removal of an item");
}

/** Type -> how its value is taken out; null: not a value of that type. */
const DYNAMO: Readonly<Record<string, (value: unknown, field: string) => unknown>> = {
  S: (value) => (typeof value === "string" ? value : null),
  N: (value) => (typeof value === "string" ? exactNumber(value) : null),
  B: (value) => base64(value),
  BOOL: (value) => (typeof value === "boolean" ? value : null),
  M: (value, field) => (isDocument(value) ? members(value, `${field}.`, dynamoValue) : null),
  L: (value, field) =>
    Array.isArray(value) ? value.map((item, index) => dynamoValue(item, `${field}.${index}`)) : null,
  SS: (value) => (isTexts(value) ? value : null),
  NS: (value) => (isTexts(value) ? allOf(value.map(exactNumber)) : null),
  BS: (value) => (isTexts(value) ? allOf(value.map(base64)) : null),
};

function dynamoValue(value: unknown, field: string): unknown {
  if (isDynamoValue(value)) {
    const [[type, inner] = ["", null]] = Object.entries(value as Document);
    if (type === "NULL" && typeof inner === "boolean") return null;
    const taken = DYNAMO[type]?.(inner, field) ?? null;
    if (taken !== null) return taken;
  }
  return refuse(field, "is not a typed value of DynamoDB");
}

function isDynamoValue(value: unknown): boolean {
  if (!isDocument(value)) return false;
  const names = Object.keys(value);
  const [type = ""] = names;
  return names.length === 1 && (type === "NULL" || Object.hasOwn(DYNAMO, type));
}

/** The list, or null where one of it is none. */
function allOf<Value>(values: readonly Value[]): readonly Value[] | null {
  return values.includes(null as Value) ? null : values;
}

/** The text, or null where it is no base64. */
function base64(value: unknown): string | null {
  return typeof value === "string" && isBase64(value) ? value : null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Names of an object, sorted -> its value; null: it is not of that form. MongoDB Extended JSON v2, and v1's forms. */
const MONGO: Readonly<Record<string, (value: Document, field: string) => unknown>> = {
  $oid: ({ $oid }) => text($oid),
  $uuid: ({ $uuid }) => text($uuid),
  $symbol: ({ $symbol }) => text($symbol),
  $numberInt: ({ $numberInt }) => wholeNumber($numberInt),
  $numberLong: ({ $numberLong }) => wholeNumber($numberLong),
  $numberDouble: ({ $numberDouble }) => number($numberDouble),
  $numberDecimal: ({ $numberDecimal }) => number($numberDecimal),
  $date: ({ $date }) => date($date),
  $binary: ({ $binary }) => (isDocument($binary) ? binary($binary["base64"], $binary["subType"]) : null),
  "$binary,$type": ({ $binary, $type }) => binary($binary, $type),
  $timestamp: ({ $timestamp }) => (isDocument($timestamp) ? $timestamp : null),
  $regularExpression: ({ $regularExpression }) => (isDocument($regularExpression) ? $regularExpression : null),
  // A reference to another document (DBRef): its parts.
  "$id,$ref": ({ $id, $ref }, field) => ({ collection: text($ref), id: mongoValue($id, field) }),
  "$db,$id,$ref": ({ $db, $id, $ref }, field) => ({
    database: text($db),
    collection: text($ref),
    id: mongoValue($id, field),
  }),
};

function mongoValue(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item, index) => mongoValue(item, `${field}.${index}`));
  if (!isDocument(value)) return value;
  const names = Object.keys(value);
  if (!names.some((name) => name.startsWith("$"))) return members(value, `${field}.`, mongoValue);
  const form = names.sort().join();
  const taken = Object.hasOwn(MONGO, form) ? (MONGO[form]?.(value, field) ?? null) : null;
  return taken ?? refuse(field, "is not a typed value of MongoDB that a document can hold");
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** What is no number to JSON stays the text that it is. */
const NOT_FINITE: ReadonlySet<unknown> = new Set(["NaN", "Infinity", "-Infinity"]);

function number(value: unknown): number | string | null {
  if (typeof value !== "string") return null;
  return NOT_FINITE.has(value) ? value : exactNumber(value);
}

function wholeNumber(value: unknown): number | string | null {
  return typeof value === "string" && WHOLE.test(value) ? exactNumber(value) : null;
}

const WHOLE = /^-?\d+$/;

/**
 * Milliseconds since 1970 or a text; as ISO 8601 in UTC. JavaScript takes more for a date than is one: 30 February is
 * 1 March to it, and a text without a zone is a time of this machine.
 */
function date(value: unknown): string | null {
  const given = isDocument(value) ? wholeNumber(value["$numberLong"]) : value;
  if (typeof given === "number" ? !Number.isInteger(given) : !isDate(given)) return null;
  const moment = new Date(given as number | string);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

function isDate(value: unknown): boolean {
  const [, day = ""] = typeof value === "string" ? (DATE.exec(value) ?? []) : [];
  const moment = new Date(day);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day);
}

/** Day, and the time of day with its zone (RFC 3339; without the colon of the zone in old exports). */
const DATE = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d))?$/;

/** Base64, or the usual form of a UUID (subtype 4). */
function binary(value: unknown, subtype: unknown): string | null {
  const digits = base64(value);
  const bytes = Buffer.from(digits ?? "", "base64");
  if (digits === null || Number.parseInt(String(subtype), 16) !== 4 || bytes.length !== 16) return digits;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
