/**
 * Reads one record: what its rows say together, one version of it, or its history.
 *
 * Head and version rows are written in one transaction, so a head behind its newest row, or rows without a live head,
 * were made by a hand in the database and are never read over.
 */
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { HeadState, RecordRows, VersionRow, WrapCount } from "../stores/rows.ts";
import { parseVersion } from "./address.ts";
import type { Address, Place, Version } from "./address.ts";
import { concerned, OVERTAKEN, untilNewest } from "./asked.ts";
import type { Asked } from "./asked.ts";
import { requireConsents } from "./consent.ts";
import type { JsonObject } from "./document.ts";
import { answered, countRead, namesOf, provePeople, requireOpenPeople } from "./people.ts";
import type { PeopleNames } from "./people.ts";
import { damaged, openVersion, storedAddress } from "./version.ts";

/** What is wrong with rows that are not those which were written there. */
export const MISPLACED: readonly VaultErrorCode[] = [
  "record-moved",
  "record-moved-collection",
  "record-moved-subject",
  "record-rolled-back",
  "record-tampered",
];

/** How a record is read. */
export interface GetOptions {
  /** Left out: the newest. */
  readonly version?: number;
  readonly signal?: AbortSignal;
}

/** Which version of which record, and whom it is about. */
export interface RecordVersion {
  readonly collection: string;
  readonly id: string;
  /** As callers say it; null: about nobody. */
  readonly subject: string | null;
  /** Further people. Left out: there are none. */
  readonly about?: readonly string[] | undefined;
  readonly version: number;
  /** When this version was written: ISO 8601, UTC. */
  readonly createdAt: string;
}

/** One version of a record. `Document` is what the caller says that its documents are. */
export interface VaultRecord<Document = JsonObject> extends RecordVersion {
  readonly document: Document;
}

/** What is known of a version without opening it. Not authenticated: `get` is what proves a version. */
export interface VersionInfo {
  readonly version: number;
  /**
   * As callers say it; null: about nobody, or about somebody who may not be read about. Of a vault with a key store it
   * is proved, by opening one version about the same people.
   */
  readonly subject: string | null;
  /** Further people, proved as the subject is. Left out: there are none, or one of the people may not be read about. */
  readonly about?: readonly string[] | undefined;
  readonly createdAt: string;
  readonly messageBytes: number;
  /** Of the message's own data key: one, where it hangs on a person's key. */
  readonly wraps: WrapCount;
}

/** What reading works with. */
type Reading = Omit<Dependencies, "audit" | "clock" | "limits" | "turns">;

/** `vault.get`. */
export async function get(
  dependencies: Reading,
  address: Address,
  { version, signal }: GetOptions,
  asked: Asked,
): Promise<VaultRecord> {
  const { keys, rowAddresses } = dependencies;
  asked.uses(address.collection);
  await keys.requireReader();
  const row = await rowAddresses.of(address, signal);
  const wanted = version === undefined ? null : parseVersion(version);
  return untilNewest(() => getOnce(dependencies, { address, row }, wanted, { asked, signal }));
}

async function getOnce(
  dependencies: Reading,
  place: Place,
  wanted: Version | null,
  { asked, signal }: { readonly asked: Asked; readonly signal: AbortSignal | undefined },
): Promise<VaultRecord | typeof OVERTAKEN> {
  const { store, keys, subjectKeys } = dependencies;
  const { address, row } = place;
  const read = await store.records.read(row, wanted);
  const { stored } = read;
  asked.concerns(place, stored, stored?.version ?? wanted);
  const isAbsent = recordState(read).kind === "absent";
  if (isAbsent || stored === null) {
    // Who takes rows away is not to be told that there were none.
    if (!(await asked.areNewest([{ row, rows: read, version: null, message: null }]))) return OVERTAKEN;
    throw isAbsent ? recordAbsent() : new VaultError("version-absent", "The record has no such version");
  }
  await requireOpenPeople(dependencies, row, read, stored, { signal, asked });
  await requireConsents(dependencies, row, stored, asked);
  const of = storedAddress(row, stored, subjectKeys);
  const document = await openVersion(stored.message, of, { keys, subjectKeys, signal });
  countRead(dependencies, row, stored);
  const names = answered(await namesOf(dependencies, stored, signal));
  const { version, message } = stored;
  const released = { ...concerned(place, stored, version), rows: read, message, kms: asked.takeCalls() };
  if (!(await asked.released("read", [released]))) return OVERTAKEN;
  return { ...address, ...names, version, createdAt: stored.createdAt, document };
}

/** Versions that are read of a history at a time. */
const HISTORY_PAGE = 500;

/** `vault.history`. */
export async function history(dependencies: Reading, address: Address, asked: Asked): Promise<readonly VersionInfo[]> {
  const { keys, rowAddresses } = dependencies;
  asked.uses(address.collection);
  await keys.requireReader();
  const row = await rowAddresses.of(address);
  return untilNewest(() => historyOnce(dependencies, { address, row }, asked));
}

async function historyOnce(
  dependencies: Reading,
  place: Place,
  asked: Asked,
): Promise<readonly VersionInfo[] | typeof OVERTAKEN> {
  const { store } = dependencies;
  const { row } = place;
  asked.concerns(place, null);
  const found: VersionRow[] = [];
  const snapshots = new Map<VersionRow, RecordRows>();
  let before: Version | null = null;
  for (;;) {
    const rows = await store.records.versions(row, { before, limit: HISTORY_PAGE });
    if (recordState(rows).kind === "absent") {
      if (!(await asked.areNewest([{ row, rows, version: null, message: null }]))) return OVERTAKEN;
      throw recordAbsent();
    }
    // One at a time: a spread of a history that somebody made long would end the stack.
    for (const version of rows.versions) {
      found.push(version);
      snapshots.set(version, rows);
    }
    const last = rows.versions.at(-1)?.version;
    if (rows.versions.length < HISTORY_PAGE || last === undefined || (before !== null && last >= before)) break;
    before = last;
  }
  const people = new Map<string, PeopleNames>();
  for (const version of found) {
    const key = samePeople(version);
    if (!people.has(key)) people.set(key, await provedNames(dependencies, row, version, asked));
  }
  // Versions whose people may not be read about are told too, and that of them nobody is named.
  const [named, unnamed] = [found.filter(isNamed), found.filter((version) => !isNamed(version))];
  const kms = asked.takeCalls();
  const reads = named.flatMap((version, index) => {
    const rows = snapshots.get(version);
    const of = concerned(place, version, version.version);
    return rows === undefined ? [] : [{ ...of, rows, message: null, kms: index === 0 ? kms : [] }];
  });
  const newest = found[0] === undefined ? undefined : snapshots.get(found[0]);
  if (unnamed.length > 0 && newest !== undefined) {
    if (!(await asked.areNewest([{ row, rows: newest, version: null, message: null }]))) return OVERTAKEN;
    const told = unnamed.map((one) => concerned(place, one, one.version));
    await asked.tellInParts("history", "done", told);
  }
  if (!(await asked.released("history", reads))) return OVERTAKEN;
  return found.map((version) => ({
    version: version.version,
    ...answered(people.get(samePeople(version)) ?? NOBODY),
    createdAt: version.createdAt,
    messageBytes: version.messageBytes,
    wraps: version.wraps,
  }));

  function isNamed(version: VersionRow): boolean {
    return people.get(samePeople(version)) !== NOBODY;
  }
}

/** Equal for versions that are about the same people. No name and no id has a NUL. */
const samePeople = ({ scheme, subject, about }: VersionRow): string => [scheme, subject, ...about].join("\0");

const NOBODY: PeopleNames = { subject: null, about: [] };

/** Whom a version is about, by name; nobody, if one of them may not be read about. */
async function provedNames(
  dependencies: Reading,
  row: Address,
  { version, subject }: VersionRow,
  asked: Asked,
): Promise<PeopleNames> {
  const { store, subjectKeys } = dependencies;
  if (subjectKeys === null) return { subject, about: [] };
  const read = await store.records.read(row, version);
  // Gone since: so are their names.
  if (read.stored === null) return NOBODY;
  try {
    await requireOpenPeople(dependencies, row, read, read.stored, { signal: undefined, asked });
    if (read.stored.scheme === 1) return { subject: read.stored.subject, about: [] };
    // Of another person's id in the row, the name would be told to whoever may read this record.
    await provePeople(dependencies, row, read.stored, undefined);
    return await namesOf(dependencies, read.stored, undefined);
  } catch (error) {
    if (isVaultError(error) && (error.code === "subject-restricted" || error.code === "subject-erased")) return NOBODY;
    throw error;
  }
}

/** The error for a record that is not there. */
export function recordAbsent(): VaultError {
  return new VaultError("record-absent", "There is no such record");
}

/** What a record's rows come to. Absent: `last` is the last number that was used, null when the record never was. */
export type RecordState =
  { readonly kind: "absent"; readonly last: Version | null } | { readonly kind: "live"; readonly version: Version };

/** Of each state of the head: the number that the newest version row must have. */
const NEWEST_ROW: Readonly<Record<HeadState, (version: Version) => Version | null>> = {
  live: (version) => version,
  removed: () => null,
};

/** @throws VaultError `record-rolled-back`, `record-tampered` */
export function recordState({ head, newestRow, damage }: RecordRows): RecordState {
  if (damage !== undefined) throw damaged({ damage });
  if (head === null) {
    if (newestRow !== null)
      throw new VaultError("record-tampered", "The record has versions but no head: its head row was deleted");
    return { kind: "absent", last: null };
  }
  const expected = NEWEST_ROW[head.state](head.version);
  if (newestRow !== expected) {
    if (newestRow !== null && newestRow > head.version) {
      throw new VaultError(
        "record-rolled-back",
        `The record points to version ${head.version}, but version ${newestRow} exists: its head was set back`,
      );
    }
    throw new VaultError(
      "record-tampered",
      head.state === "removed"
        ? "The record was removed, but versions of it were put back"
        : `The row of the newest version ${head.version} is missing`,
    );
  }
  return head.state === "live" ? { kind: "live", version: head.version } : { kind: "absent", last: head.version };
}

/**
 * The number of the next version: never one that was used, also not before a removal.
 *
 * @throws VaultError `record-tampered` when there is none left: nobody has written so often
 */
export function nextVersion(state: RecordState): Version {
  const last = state.kind === "live" ? state.version : (state.last ?? 0);
  if (last >= Number.MAX_SAFE_INTEGER)
    throw new VaultError(
      "record-tampered",
      "The record's version is the last that there can be: its rows were changed",
    );
  return (last + 1) as Version;
}
