/**
 * Reads one record: what its rows say together, one version of it, or its history.
 *
 * Head and version rows are written in one transaction, so a head behind its newest row, or rows without a live head,
 * were made by a hand in the database and are never read over.
 */
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { HeadState, RecordRows, VersionRow, WrapCount } from "../stores/rows.ts";
import { parseVersion } from "./address.ts";
import type { Address, Version } from "./address.ts";
import type { JsonObject } from "./document.ts";
import { openVersion } from "./version.ts";

/** How a record is read. */
export interface GetOptions {
  /** Left out: the newest. */
  readonly version?: number;
  readonly signal?: AbortSignal;
}

/** One version of a record. `Document` is what the caller says that its documents are. */
export interface VaultRecord<Document = JsonObject> {
  readonly collection: string;
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  /** When this version was written: ISO 8601, UTC. */
  readonly createdAt: string;
  readonly document: Document;
}

/** What is known of a version without opening it. Not authenticated: `get` is what proves a version. */
export interface VersionInfo {
  readonly version: number;
  readonly subject: string;
  readonly createdAt: string;
  readonly messageBytes: number;
  readonly wraps: WrapCount;
}

/** `vault.get`. */
export async function get(
  { store, keys }: Pick<Dependencies, "store" | "keys">,
  address: Address,
  { version, signal }: GetOptions,
): Promise<VaultRecord> {
  await keys.requireReader();
  const read = await store.records.read(address, version === undefined ? null : parseVersion(version));
  if (recordState(read).kind === "absent") throw recordAbsent();
  if (read.stored === null) throw new VaultError("version-absent", "The record has no such version");
  const { subject, createdAt, message, version: found } = read.stored;
  const document = await openVersion(message, { ...address, subject, version: found }, { keys, signal });
  return { ...address, subject, version: found, createdAt, document };
}

/** Versions that are read of a history at a time. */
const HISTORY_PAGE = 500;

/** `vault.history`. */
export async function history(
  { store, keys }: Pick<Dependencies, "store" | "keys">,
  address: Address,
): Promise<readonly VersionInfo[]> {
  await keys.requireReader();
  const found: VersionRow[] = [];
  let before: Version | null = null;
  for (;;) {
    const rows = await store.records.versions(address, { before, limit: HISTORY_PAGE });
    if (recordState(rows).kind === "absent") throw recordAbsent();
    // One at a time: a spread of a history that somebody made long would end the stack.
    for (const row of rows.versions) found.push(row);
    const last = rows.versions.at(-1)?.version;
    if (rows.versions.length < HISTORY_PAGE || last === undefined || (before !== null && last >= before)) return found;
    before = last;
  }
}

/** The error for a record that is not there. */
export function recordAbsent(): VaultError {
  return new VaultError("record-absent", "There is no such record");
}

/** The error for rows that hold what no vault writes. */
export function damaged({ damage }: Pick<RecordRows, "damage">): VaultError {
  return new VaultError("record-tampered", `The record's rows hold what no vault writes: ${damage ?? "its version"}`);
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
