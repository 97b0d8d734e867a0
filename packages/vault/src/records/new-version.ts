/**
 * The new version of a record, sealed on top of what is there, and whom it is about when its writer does not say.
 */
import type { Sealing } from "../keys/key-sets.ts";
import type { Dependencies } from "../limits.ts";
import type { Head, StoredMessage } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";
import type { NewVersion } from "../stores/units.ts";
import type { Address, Subject } from "./address.ts";
import { damaged, nextVersion } from "./read.ts";
import type { RecordState } from "./read.ts";
import { openBytes, requireContext, sealBytes } from "./version.ts";
import type { OpenOptions } from "./version.ts";

/** A record as a change finds it. */
export interface Current {
  readonly head: Head | null;
  readonly state: RecordState;
  /** Of the newest version, as its message proved it; null when no message was opened, or there is none. */
  readonly subject: Subject | null;
}

/** A document that is to become a version. */
export interface VersionInput {
  /** Of the document; the caller wipes it. */
  readonly plaintext: Uint8Array;
  /** Null: whom the version before is about. */
  readonly subject: Subject | null;
  readonly sealing: Sealing;
  readonly signal: AbortSignal | undefined;
}

/**
 * The version that, made on the head it was prepared against, comes next.
 *
 * @throws VaultError as sealBytes does, and as openBytes does of the version before when its subject is inherited
 */
export async function newVersion(
  { store, keys, clock }: Pick<Dependencies, "store" | "keys" | "clock">,
  address: Address,
  current: Current,
  { plaintext, subject: given, sealing, signal }: VersionInput,
): Promise<NewVersion> {
  await store.requireRoom();
  const version = nextVersion(current.state);
  const before = await versionBefore(store.records, address, current);
  const subject = given ?? current.subject ?? before?.subject ?? (address.id as string as Subject);
  const isProved = given !== null || current.subject !== null;
  // Beside each other, so that the proof costs no time: what is sealed for a subject that was forged is not stored.
  const [proof, sealed] = await Promise.allSettled([
    before === null || isProved ? null : proveSubject(before, address, { keys, signal }),
    sealBytes(plaintext, { ...address, subject, version }, { keyring: sealing.keyring, signal }),
  ]);
  if (sealed.status === "rejected") throw sealed.reason;
  if (proof.status === "rejected") throw proof.reason;
  return { version, subject, createdAt: clock().toISOString(), ...sealed.value };
}

/** The version that a new one comes after, when it is not of this same change. */
async function versionBefore(
  store: RecordStore,
  address: Address,
  { state, subject }: Current,
): Promise<StoredMessage | null> {
  if (state.kind === "absent" || subject !== null) return null;
  const read = await store.read(address, state.version);
  // Changed since its head was read: what is prepared meets a conflict.
  if (read.stored === null && read.damage === undefined) return null;
  if (read.stored === null) throw damaged(read);
  requireContext(read.stored.message, { ...address, ...read.stored });
  return read.stored;
}

/**
 * A writer who names no subject leaves it as it is: otherwise a plain update would quietly be about someone else. Who
 * it is about, the message says and its regions prove; the row's word alone would be anybody's who can write the file.
 */
async function proveSubject(
  { message, subject, version }: StoredMessage,
  address: Address,
  options: OpenOptions,
): Promise<void> {
  const plaintext = await openBytes(message, { ...address, subject, version }, options);
  plaintext.fill(0);
}

/** A record as it is after its new version, for the next one on top of it. */
export function afterVersion({ version, subject }: NewVersion): Current {
  return { head: { version, state: "live" }, state: { kind: "live", version }, subject };
}
