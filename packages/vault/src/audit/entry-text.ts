/**
 * An entry as text, and back. There is one text for an entry: what was read is written again and compared, so that no
 * two texts say the same, and whoever verifies a leaf knows what it says.
 */
import type { EntryId, StreamId } from "../stores/outbox.ts";
import { MAX_ENTRY_BYTES, STORE_STREAM } from "../stores/outbox.ts";
import { isSubjectId } from "../stores/subjects.ts";
import { AUDIT_ACTIONS } from "./entry.ts";
import type { EntryRecord, EntryText } from "./entry.ts";

/** Everything of an entry but its place in a stream, which it gets when it is written. */
export type EntryBody = BodyOf<EntryText>;

/** Members that there is nothing of may be there as undefined. */
type BodyOf<Entry extends EntryText> = {
  readonly [Member in keyof Omit<Entry, "v" | "id" | "stream" | "number" | "ends">]: Entry[Member] | undefined;
};

/** An entry's place. */
export type EntryPlace = Pick<EntryText, "id" | "stream" | "number" | "ends">;

/** Most of what one entry lists. */
export const ENTRY_LIMITS: Readonly<Record<"records" | "people" | "kms" | "details", number>> = {
  records: 1000,
  people: 4096,
  kms: 4096,
  details: 256,
};

/** An entry's text. */
export function writeEntry(entry: EntryText): Buffer {
  return placedEntry(entry, writeBody(entry));
}

/** The text of all that does not hang on the place: members in their order, without those that there is nothing of. */
export function writeBody(body: EntryBody): string {
  const { at, action, result, principal, purpose, collection, records, people, kms, details } = body;
  const text = JSON.stringify({
    ...{ at, action, result, principal, purpose, collection },
    records: records?.map(orderedRecord),
    people: people?.map(({ key, sealed }) => ({ key, sealed })),
    kms: kms?.map(({ region, key, requestId }) => ({ region, key, requestId })),
    export: body.export,
    details,
  });
  return `,${text.slice(1, -1)}`;
}

const orderedRecord = (record: EntryRecord): EntryRecord => {
  const { tag, version, state, scheme, sha256, previous, entry } = record;
  return { tag, version, state, scheme, sha256, previous, entry } as EntryRecord;
};

/** The text of an entry that has its place. */
export function placedEntry({ id, stream, number, ends }: EntryPlace, body: string): Buffer {
  const end = ends === true ? ',"ends":true' : "";
  return Buffer.from(`{"v":1,"id":"${id}","stream":"${stream}","number":${number}${end}${body}}`, "utf8");
}

/** Whether the text behind a place makes an entry: what nobody could read again would be taken for an altered one. */
export function isBody(body: string): boolean {
  return parseEntry(placedEntry(ANY_PLACE, body)) !== null;
}

const ANY_PLACE: EntryPlace = { id: STORE_STREAM as string as EntryId, stream: STORE_STREAM, number: 1 };

/** An entry of its text; null: it is none. */
export function parseEntry(text: Uint8Array): EntryText | null {
  if (text.length > MAX_ENTRY_BYTES) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(UTF8.decode(text));
  } catch {
    return null;
  }
  if (!isObject(parsed) || !ENTRY.every(([member, is]) => is(parsed[member]))) return null;
  const entry = parsed as unknown as EntryText;
  return writeEntry(entry).equals(text) ? entry : null;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Is = (value: unknown) => boolean;
type Members = readonly (readonly [member: string, is: Is])[];

const matches =
  (pattern: RegExp): Is =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const optional =
  (is: Is): Is =>
  (value) =>
    value === undefined || is(value);
const orNull =
  (is: Is): Is =>
  (value) =>
    value === null || is(value);
const text =
  (most: number): Is =>
  (value) =>
    typeof value === "string" && value !== "" && value.length <= most && value.isWellFormed();
const isCount: Is = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
const isId: Is = isSubjectId;
const listOf =
  (members: Members, most: number): Is =>
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= most &&
    value.every((item) => isObject(item) && members.every(([member, is]) => is(item[member])));

/** ISO 8601, UTC, with milliseconds: one text for one moment. */
const isMoment: Is = (value) => {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(value)) return false;
  const date = new Date(value);
  return !Number.isNaN(date.getTime()) && date.toISOString() === value;
};

const ACTIONS: ReadonlySet<unknown> = new Set(AUDIT_ACTIONS);

const BASE64URL_32 = /^[A-Za-z0-9_-]{43}$/;
const TAG = /^[A-Za-z0-9_-]{22}$/;

const RECORDS: Members = [
  ["tag", matches(TAG)],
  ["version", orNull(isCount)],
  ["state", optional((value) => value === "live" || value === "removed")],
  ["scheme", optional((value) => value === 1 || value === 2)],
  ["sha256", optional(matches(BASE64URL_32))],
  ["previous", optional(orNull(isId))],
  ["entry", optional(orNull(isId))],
];

const PEOPLE: Members = [
  ["key", (value) => value === "vault" || isId(value)],
  ["sealed", (value) => text(1_000_000)(value) && /^[A-Za-z0-9_-]{60,}$/.test(value as string)],
];

const KMS_CALLS: Members = [
  ["region", text(128)],
  ["key", text(2048)],
  ["requestId", text(256)],
];

const isDetails: Is = (value) =>
  isObject(value) &&
  Object.keys(value).length > 0 &&
  Object.keys(value).length <= ENTRY_LIMITS.details &&
  Object.entries(value).every(([name, one]) => /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name) && isPlain(one));

const isPlain: Is = (value) =>
  value === null ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value)) ||
  (typeof value === "string" && value.length <= 65_536 && value.isWellFormed());

const ENTRY: Members = [
  ["v", (value) => value === 1],
  ["id", isId],
  ["stream", isId],
  ["number", isCount],
  ["ends", (value) => value === undefined || value === true],
  ["at", isMoment],
  ["action", (value) => ACTIONS.has(value)],
  ["result", matches(/^[a-z][a-z0-9-]{0,63}$/)],
  ["principal", matches(/^[A-Za-z0-9._:@/+=-]{1,128}$/)],
  ["purpose", optional(matches(/^[a-z0-9.-]{1,64}$/))],
  ["collection", optional(matches(/^[a-z][a-z0-9_-]{0,62}$/))],
  ["records", optional(listOf(RECORDS, ENTRY_LIMITS.records))],
  ["people", optional(listOf(PEOPLE, ENTRY_LIMITS.people))],
  ["kms", optional(listOf(KMS_CALLS, ENTRY_LIMITS.kms))],
  ["export", optional(isId)],
  ["details", optional(isDetails)],
];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A random id of an entry or a stream is of the same form as a person's: a version 4 UUID in lower case. */
export function isEntryId(value: unknown): value is EntryId & StreamId {
  return isSubjectId(value);
}
