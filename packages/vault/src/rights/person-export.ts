/**
 * Hands somebody's records out: to themselves (article 15 of the GDPR), or to whom they name (article 20). Each batch
 * is in the audit before any of it is given, all under one export that names its recipient; a last entry says how it
 * ended, and one that was killed has none. Threats answered: a person erased or restricted meanwhile in another
 * process; a record that is about somebody else by now; what is about others too.
 */
import { randomUUID } from "node:crypto";
import { mapBounded } from "@strongroom/base/work";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { ReleasedRead } from "../audit/auditor.ts";
import { Asked, asking, concerned, OVERTAKEN, untilNewest } from "../records/asked.ts";
import type { Subject, Version } from "../records/address.ts";
import type { JsonObject } from "../records/document.ts";
import { cursorInvalid, decodeCursor, encodeCursor } from "../records/paging.ts";
import { countRead, peopleOf, requireOpenPeople } from "../records/people.ts";
import { MISPLACED, recordState } from "../records/read.ts";
import { openVersion, storedAddress } from "../records/version.ts";
import type { RecordRead, StoredMessage, VersionRow } from "../stores/rows.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId, SubjectRow } from "../stores/subjects.ts";
import type { Named } from "../subjects/subjects.ts";
import { heldPerson, requireReadableNow } from "./parts.ts";
import type { KnownPerson, RightsParts } from "./parts.ts";
import { recordsOf } from "./records-of.ts";
import type { RecordOf } from "./records-of.ts";

/** Which versions, and for whom. */
export interface PersonExportOptions {
  /** To whom it is given: 1 to 200 characters of one line. The audit keeps it, sealed. */
  readonly recipient: string;
  /** `newest`, when left out: of each record the newest. `all`: every version that is about the person. */
  readonly versions?: "newest" | "all";
  readonly tenant?: string;
  readonly signal?: AbortSignal;
}

/** Why content is left out: it is about others too, it is about others only by now, or it does not open (a code). */
export type WithheldReason = "third-parties" | "re-pointed" | VaultErrorCode;

/** What an export yields: records, in an order that is the store's own, and last what they come to. */
export type PersonExportItem =
  | {
      readonly kind: "record";
      readonly collection: string;
      /** Null: the record's id is sealed, and its seal does not open. */
      readonly id: string | null;
      readonly version: number;
      /** ISO 8601, UTC. */
      readonly createdAt: string;
      /** How many others it is about. */
      readonly others: number;
      /** What the collection may be used for, as it is declared; empty: it is not. */
      readonly purposes: readonly string[];
      readonly document: JsonObject;
    }
  | {
      readonly kind: "withheld";
      readonly collection: string;
      readonly id: string | null;
      readonly version: number | null;
      readonly reason: WithheldReason;
    }
  | {
      readonly kind: "end";
      /** Names the export in the audit. */
      readonly export: string;
      readonly records: number;
      readonly withheld: number;
    };

type GivenItem = Exclude<PersonExportItem, { readonly kind: "end" }>;

/** A version that is to be given. */
interface Wanted {
  readonly of: RecordOf;
  /** Position of the record before it; null: it is the first. */
  readonly behind: Uint8Array | null;
  readonly version: Version | null;
  readonly bytes: number;
}

/** Most versions and bytes of messages of one batch, and of versions that are read at the same time. */
const BATCH = 100;
const BATCH_BYTES: number = 1024 * 1024;
const AT_ONCE = 8;
const VERSIONS_PAGE = 500;

/** @throws VaultError `recipient-invalid` */
export function parseRecipient(value: unknown): string {
  if (typeof value === "string" && value.trim() !== "" && value.length <= 200 && !/\p{Cc}/u.test(value)) return value;
  throw new VaultError("recipient-invalid", "The recipient must be 1 to 200 characters of one line");
}

/** What is exported, and of whom. */
interface Exporting {
  readonly recipient: string;
  readonly versions: "newest" | "all";
}

/** `vault.rights.export`. */
export async function* exportPerson(
  given: RightsParts,
  who: Named,
  exporting: Exporting,
): AsyncGenerator<PersonExportItem> {
  const id = randomUUID();
  const parts = ofExport(given, id);
  const person = await begun(parts, who, exporting);
  const counts = { records: 0, withheld: 0 };
  let result: string = "aborted";
  try {
    for await (const { batch } of batches(wantedOf(parts, person, exporting.versions, FROM_THE_FIRST))) {
      requireGoing(who.signal);
      for (const item of await givenOut(parts, person.row, batch, who.signal)) {
        counts[item.kind === "record" ? "records" : "withheld"]++;
        yield item;
      }
    }
    await requireStillReadable(parts, person.row);
    result = "done";
  } catch (error) {
    result = isVaultError(error) ? error.code : "failed";
    throw error;
  } finally {
    const told = parts.audit.tell("person-export", result, { people: [person.row.id] });
    // What failed or was left is what the caller is told; that it is complete, only where the audit has it.
    await (result === "done" ? told : told.catch(() => undefined));
  }
  yield { kind: "end", export: id, ...counts };
}

/** A part of an export, for whoever cannot be given a stream. */
export interface PersonExportPage {
  /** Names the export in the audit: of all pages the same. */
  readonly export: string;
  readonly items: readonly GivenItem[];
  /** Cursor of the next page; null: it is complete. */
  readonly next: string | null;
}

const FORMAT = "person-export-1";

/** `vault.rights.exportPage`: the first page begins the export, the last one ends it. */
export async function exportPage(
  given: RightsParts,
  who: Named,
  { cursor, ...exporting }: Exporting & { readonly cursor: string | undefined },
): Promise<PersonExportPage> {
  const from = cursor === undefined ? null : placeIn(cursor);
  const id = from?.export ?? randomUUID();
  const parts = ofExport(given, id);
  const person = from === null ? await begun(parts, who, exporting) : await goneOnWith(parts, who);
  if (from !== null && from.person !== person.row.id) throw cursorInvalid();
  const wanted = wantedOf(parts, person, exporting.versions, from ?? FROM_THE_FIRST);
  for await (const { batch, next } of batches(wanted)) {
    const items = await givenOut(parts, person.row, batch, who.signal);
    if (next !== null) return { export: id, items, next: cursorAt(next, id, person.row.id) };
    return ended(items);
  }
  return ended([]);

  async function ended(items: readonly GivenItem[]): Promise<PersonExportPage> {
    await requireStillReadable(parts, person.row);
    await parts.audit.tell("person-export", "done", { people: [person.row.id] });
    return { export: id, items, next: null };
  }
}

const ofExport = (parts: RightsParts, id: string): RightsParts => ({
  ...parts,
  audit: parts.audit.as({ ...parts.audit.actor, export: id }),
});

/** Says that it begins, and for whom. */
function begun(parts: RightsParts, who: Named, { recipient, versions }: Exporting): Promise<KnownPerson> {
  return asking(parts.audit, "person-export", async (asked) => {
    parts.access.requireAction("read");
    const person = await heldPerson(parts, who, asked);
    await requireReadableNow(parts, person.row, asked);
    const details = { versions };
    await asked.tell("person-export", "begun", { people: [person.row.id], label: recipient, details });
    return person;
  });
}

const goneOnWith = (parts: RightsParts, who: Named): Promise<KnownPerson> =>
  asking(parts.audit, "person-export", async (asked) => {
    parts.access.requireAction("read");
    return heldPerson(parts, who, asked);
  });

/** Also of an export that had nothing to read. */
const requireStillReadable = (parts: RightsParts, row: SubjectRow): Promise<void> =>
  requireReadableNow(parts, row, new Asked(parts.audit));

function requireGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new VaultError("aborted", "The caller gave up");
}

/** Where an export goes on: behind a record, and in the next one, if it is that, below a version. */
interface From {
  readonly behind: Uint8Array | null;
  readonly at: Uint8Array | null;
  readonly before: Version | null;
}

const FROM_THE_FIRST: From = { behind: null, at: null, before: null };

const text = (bytes: Uint8Array | null): string => (bytes === null ? "" : Buffer.from(bytes).toString("base64url"));
const bytesOf = (value: string): Uint8Array | null => (value === "" ? null : Buffer.from(value, "base64url"));

function cursorAt({ of, behind, version }: Wanted, id: string, person: SubjectId): string {
  const before = version === null ? "" : String(version + 1);
  return encodeCursor([FORMAT, person, id, text(behind), text(of.position), before]);
}

/** @throws VaultError `cursor-invalid` */
function placeIn(cursor: string): From & { readonly export: string; readonly person: string } {
  const [format, person = "", id, behind = "", at = "", before = "", ...more] = decodeCursor(cursor);
  if (format !== FORMAT || more.length > 0 || !isSubjectId(id) || !/^\d{0,16}$/.test(before)) throw cursorInvalid();
  const below = before === "" ? null : (Number(before) as Version);
  return { export: id, person, behind: bytesOf(behind), at: bytesOf(at), before: below };
}

/** Versions in the order in which they are given. Of a record whose rows do not say any, the record itself. */
async function* wantedOf(
  parts: RightsParts,
  { row, keysOfPeople }: KnownPerson,
  which: "newest" | "all",
  from: From,
): AsyncGenerator<Wanted> {
  let { behind } = from;
  for await (const of of recordsOf(parts, keysOfPeople, row.id, from.behind)) {
    const isIt = from.at !== null && Buffer.compare(of.position, from.at) === 0;
    if (which === "newest") {
      const { versions } = await parts.store.records.versions(of.row, { before: null, limit: 1 });
      yield { of, behind, version: null, bytes: versions[0]?.messageBytes ?? 0 };
    } else for await (const one of versionsOf(parts, of, isIt ? from.before : null)) yield { ...one, behind };
    behind = of.position;
  }
}

async function* versionsOf(
  { store }: RightsParts,
  of: RecordOf,
  below: Version | null,
): AsyncGenerator<Omit<Wanted, "behind">> {
  let count = 0;
  for (let before = below; ;) {
    const { versions } = await store.records.versions(of.row, { before, limit: VERSIONS_PAGE });
    for (const { version, messageBytes } of versions) yield { of, version, bytes: messageBytes };
    count += versions.length;
    const last: VersionRow | undefined = versions.at(-1);
    if (last === undefined || versions.length < VERSIONS_PAGE || (before !== null && last.version >= before)) break;
    before = last.version;
  }
  if (count === 0 && below === null) yield { of, version: null, bytes: 0 };
}

/** As many as are in one entry of the audit, and what comes behind them. */
interface Batch {
  readonly batch: readonly Wanted[];
  /** Null: nothing. */
  readonly next: Wanted | null;
}

async function* batches(wanted: AsyncIterable<Wanted>): AsyncGenerator<Batch> {
  let batch: Wanted[] = [];
  let bytes = 0;
  for await (const one of wanted) {
    if (batch.length > 0 && (batch.length === BATCH || bytes + one.bytes > BATCH_BYTES)) {
      yield { batch, next: one };
      [batch, bytes] = [[], 0];
    }
    batch.push(one);
    bytes += one.bytes;
  }
  if (batch.length > 0) yield { batch, next: null };
}

/** What a version comes to, and what the audit is told of it. Null: it is not given, and nothing is to be said. */
interface Read {
  readonly item: GivenItem;
  readonly released: ReleasedRead | null;
}

/**
 * A batch, in the audit. Where one of it cannot be given, each is tried for itself.
 *
 * @throws VaultError `subject-restricted`, `subject-erased`: the person may not be read any more; what is about no
 *   single record
 */
async function givenOut(
  parts: RightsParts,
  person: SubjectRow,
  batch: readonly Wanted[],
  signal: AbortSignal | undefined,
): Promise<readonly GivenItem[]> {
  const asked = new Asked(parts.audit);
  await requireReadableNow(parts, person, asked);
  try {
    return await untilNewest(async () => {
      const reading = { parts, person: person.id, asked, signal };
      const all = await mapBounded(batch, AT_ONCE, (one) => readOnce(reading, one));
      const read = all.filter((one) => one !== null);
      const of = (kind: GivenItem["kind"]) =>
        read.flatMap(({ item, released }) => (released === null || item.kind !== kind ? [] : [released]));
      const isReleased = (await asked.released("read", of("record"))) && (await asked.released("list", of("withheld")));
      return isReleased ? read.map(({ item }) => item) : OVERTAKEN;
    });
  } catch (error) {
    if (!isOfOneRecord(error)) throw error;
    await requireReadableNow(parts, person, asked);
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) return [await toldWithheld(only, error.code, asked)];
    const items: GivenItem[] = [];
    for (const one of batch) for (const item of await givenOut(parts, person, [one], signal)) items.push(item);
    return items;
  }
}

interface Reading {
  readonly parts: RightsParts;
  readonly person: SubjectId;
  readonly asked: Asked;
  readonly signal: AbortSignal | undefined;
}

async function readOnce({ parts, person, asked, signal }: Reading, wanted: Wanted): Promise<Read | null> {
  const { store, subjectKeys, declarations } = parts;
  const { row, id } = wanted.of;
  const read = await store.records.read(row, wanted.version);
  const { stored } = read;
  if (recordState(read).kind === "absent" || stored === null) return null;
  const { version } = stored;
  const people = stored.scheme === 1 ? [] : peopleOf(row.collection, stored);
  const withheld = (reason: WithheldReason): Read => ({
    item: { kind: "withheld", collection: row.collection, id, version, reason },
    // Of the others in it nothing is given out.
    released: { ...releasedOf(wanted, read, stored), scheme: 2, subject: person as string as Subject, about: [] },
  });
  // Of all versions, those of somebody else are not this person's; of the newest, it is said where the record went.
  if (!people.includes(person)) return wanted.version === null ? withheld("re-pointed") : null;
  const { purposes, rights } = declarations.of(row.collection);
  if (people.length > 1 && rights.thirdParties === "omit") return withheld("third-parties");
  await requireOpenPeople(parts, row, read, stored, { signal, asked });
  const of = storedAddress(row, stored, subjectKeys);
  const document = await openVersion(stored.message, of, { keys: parts.keys, subjectKeys, signal });
  countRead(parts, row, stored);
  const { createdAt } = stored;
  const others = people.length - 1;
  return {
    item: {
      kind: "record",
      ...{ collection: row.collection, id, version, createdAt, others },
      purposes: purposes ?? [],
      document,
    },
    released: { ...releasedOf(wanted, read, stored), message: stored.message },
  };
}

function releasedOf({ of: { row, id } }: Wanted, rows: RecordRead, stored: StoredMessage): ReleasedRead {
  const place = { row, address: id === null ? row : { ...row, id } };
  return { ...concerned(place, stored, stored.version), id, rows, message: null, kms: [] };
}

/** It is said that there is one, and what is wrong with it; so is it in the audit. */
async function toldWithheld(
  { of: { row, id }, version }: Wanted,
  reason: VaultErrorCode,
  asked: Asked,
): Promise<GivenItem> {
  const place = { row, address: id === null ? row : { ...row, id } };
  await asked.tell("list", reason, { concerned: [{ ...concerned(place, null, version), id }] });
  return { kind: "withheld", collection: row.collection, id, version, reason };
}

/** What may be wrong with one record while the others can be given. */
const OF_ONE: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "stored-document-invalid",
  ...MISPLACED,
  "subject-erased",
  "subject-restricted",
  "subject-key-absent",
  "subject-key-tampered",
]);

const isOfOneRecord = (error: unknown): error is VaultError => isVaultError(error) && OF_ONE.has(error.code);
