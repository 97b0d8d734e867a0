/**
 * The keys of the audit. One root lies in the key store, wrapped by the regions as the vault's other own keys are; what
 * authenticates entries, hides addresses and signs checkpoints is derived from it. People have a key each for what
 * entries tell of them, wrapped under the root and by no KMS, so that it can be let go of alone: not when the person's
 * own keys go, or nobody could say any more who had read what was erased.
 */
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Address } from "../records/address.ts";
import type { AddressTag, EntryId } from "../stores/outbox.ts";
import type { EntryPerson, SealedPart } from "./entry.ts";

/** Whose key of the audit lies in the key store: a person's, by the opaque id, or a collection's. */
export type AuditKeyOwner = `person:${string}` | `collection:${string}`;

/** Whose key seals a part: of what is about nobody known, the vault's own. */
export type PartOwner = AuditKeyOwner | "vault";

/** A key that seals parts. */
export interface PartKey {
  /** Its version; of the vault's own, `vault`. */
  readonly version: string;
  /** The part of an entry, sealed so that it opens in no other entry. */
  seal(entry: EntryId, part: SealedPart): EntryPerson;
}

/** What a part is of. */
export interface PartOfEntry {
  readonly entry: EntryId;
  readonly person: EntryPerson;
}

/** The keys of a vault's audit. */
export interface AuditKeys {
  /** The vault's id. */
  readonly vault: string;
  /** 32 bytes that whoever lacks the key cannot make of an entry's text. */
  mac(text: Uint8Array): Uint8Array;
  /** Whether these are the bytes for that text; in constant time. */
  verifies(text: Uint8Array, mac: Uint8Array): boolean;
  /** An address, so that nobody without the key knows which. */
  tag(row: Address): AddressTag;
  /** Of which the Ed25519 key that signs checkpoints is made: 32 bytes. Whoever gets them wipes them. */
  signingSeed(): SecretBytes;
  /** The same of the key that signs statements, and nothing else. */
  statementSeed(): SecretBytes;
  /** The same of the key that signs certificates of erasures. */
  certificateSeed(): SecretBytes;
  /**
   * The newest key of each owner, in their order; made where there is none.
   *
   * @throws VaultError `subject-key-tampered`, `key-set-moved`; the key store's
   */
  partKeys(owners: readonly PartOwner[]): Promise<readonly PartKey[]>;
  /** The same of keys that are in memory; null: one of them is not. */
  partKeysAtHand(owners: readonly PartOwner[]): readonly PartKey[] | null;
  /** Versions of an owner's keys, newest first: by them entries are found. Empty: there is none. */
  versionsOf(owner: PartOwner): Promise<readonly string[]>;
  /**
   * What parts hold, in their order; null: the key is gone, or it does not open.
   *
   * @throws VaultError the key store's
   */
  openParts(parts: readonly PartOfEntry[]): Promise<readonly (SealedPart | null)[]>;
  /** Wipes everything. */
  close(): void;
}
