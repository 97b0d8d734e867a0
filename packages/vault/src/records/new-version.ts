/**
 * The new version of a record, sealed on top of what is there, and whom it is about when its writer does not say.
 */
import type { Dependencies } from "../limits.ts";
import type { Head, RecordStore, StoredMessage, WriteChange } from "../store.ts";
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

/**
 * The change that, committed on the head it was prepared against, writes a new version.
 *
 * @param input `plaintext` is the document's bytes, which the caller wipes.
 * @throws VaultError as sealBytes does, and as openBytes does of the version before when its subject is inherited
 */
export async function newVersion(
  { store, keyring, clock }: Pick<Dependencies, "store" | "keyring" | "clock">,
  address: Address,
  current: Current,
  input: { readonly plaintext: Uint8Array; readonly subject: Subject | null; readonly signal: AbortSignal | undefined },
): Promise<WriteChange> {
  await store.requireRoom();
  const options = { keyring, signal: input.signal };
  const version = nextVersion(current.state);
  const before = await versionBefore(store, address, current);
  const subject = input.subject ?? current.subject ?? before?.subject ?? (address.id as string as Subject);
  const isProved = input.subject !== null || current.subject !== null;
  // Beside each other, so that the proof costs no time: what is sealed for a subject that was forged is not stored.
  const [proof, sealing] = await Promise.allSettled([
    before === null || isProved ? null : proveSubject(before, address, options),
    sealBytes(input.plaintext, { ...address, subject, version }, options),
  ]);
  if (sealing.status === "rejected") throw sealing.reason;
  if (proof.status === "rejected") throw proof.reason;
  const { message, wraps, missing } = sealing.value;
  return {
    kind: "write",
    address,
    base: current.head,
    next: { version, subject, createdAt: clock().toISOString(), wraps, message },
    missing,
  };
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

/** A record as it is after `change`, for the next change on top of it. */
export function afterChange({ next }: WriteChange): Current {
  return {
    head: { version: next.version, state: "live" },
    state: { kind: "live", version: next.version },
    subject: next.subject,
  };
}
