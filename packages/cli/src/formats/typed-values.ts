// The typed values of database exports, taken out of their wrapping: DynamoDB's JSON (`{"S":"x"}`) and MongoDB's
// Extended JSON (`{"$oid":"…"}`). A number becomes a number where one holds its value exactly, else a text of its
// digits; bytes become base64. What is no value of theirs is refused with its field named, never stored as it stands.
// Own code and not their libraries: these make Dates, Sets and classes of it, and bring the databases' clients along.
import { parseJson } from "@strongroom/vault";
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

/** A number, or the text of its digits where a double would change it. */
function exactNumber(digits: string): number | string {
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
  B: (value) => (typeof value === "string" ? value : null),
  BOOL: (value) => (typeof value === "boolean" ? value : null),
  M: (value, field) => (isDocument(value) ? members(value, `${field}.`, dynamoValue) : null),
  L: (value, field) =>
    Array.isArray(value) ? value.map((item, index) => dynamoValue(item, `${field}.${index}`)) : null,
  SS: (value) => (isTexts(value) ? value : null),
  NS: (value) => (isTexts(value) ? value.map(exactNumber) : null),
  BS: (value) => (isTexts(value) ? value : null),
};

function dynamoValue(value: unknown, field: string): unknown {
  if (isDynamoValue(value)) {
    const [[type, inner] = ["", null]] = Object.entries(value as Document);
    if (type === "NULL") return null;
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

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Names of an object, sorted -> its value; null: it is not of that form. MongoDB Extended JSON v2, and v1's forms. */
const MONGO: Readonly<Record<string, (value: Document, field: string) => unknown>> = {
  $oid: ({ $oid }) => text($oid),
  $uuid: ({ $uuid }) => text($uuid),
  $symbol: ({ $symbol }) => text($symbol),
  $numberInt: ({ $numberInt }) => number($numberInt),
  $numberLong: ({ $numberLong }) => number($numberLong),
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

function number(value: unknown): number | string | null {
  return typeof value === "string" ? exactNumber(value) : null;
}

/** Milliseconds since 1970 or a text; as ISO 8601 in UTC. */
function date(value: unknown): string | null {
  const given = isDocument(value) ? Number(value["$numberLong"] ?? Number.NaN) : value;
  if (typeof given !== "number" && typeof given !== "string") return null;
  const moment = new Date(given);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}

/** Base64, or the usual form of a UUID (subtype 4). */
function binary(base64: unknown, subtype: unknown): string | null {
  if (typeof base64 !== "string") return null;
  const bytes = Buffer.from(base64, "base64");
  if (Number.parseInt(String(subtype), 16) !== 4 || bytes.length !== 16) return base64;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
