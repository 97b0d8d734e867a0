/**
 * An entry of the audit: what it tells, and the one text that this is written as. The text is what the log hashes, so
 * that whoever has an entry, a proof and a checkpoint can verify them with programs that are not ours.
 *
 * In clear it has what no person can be told by: the action, who did it (an id that never changes), when, the address
 * as a keyed hash. Record ids, opaque ids and tickets are sealed under a key of the person's own for the audit
 * (audit-keys.ts), so that they can be let go of while the tree stays.
 */
import type { EntryId, StreamId } from "../stores/outbox.ts";

/**
 * Everything that an entry may say was done.
 *
 * @example
 * ```ts
 * import { AUDIT_ACTIONS } from "@strongroom/vault";
 *
 * console.log(AUDIT_ACTIONS.includes("read")); // prints: true
 * ```
 */
export const AUDIT_ACTIONS = [
  "read",
  "list",
  "find",
  "history",
  "write",
  "remove",
  "export-ended",
  "state",
  "people-listed",
  "restrict",
  "release",
  "renew-key",
  "erase",
  "hold",
  "lift-hold",
  "retention",
  "person-shown",
  "person-export",
  "rectify",
  "consent",
  "keys-made",
  "flip-key-set",
  "rewrap",
  "converge",
  "retire-key",
  "shred",
  "index",
  "statement",
  "audit-read",
  "verify",
  "backup",
  "principal",
  "unauthenticated",
  "administration",
  "open",
  "close",
  "adopt",
  "adopted",
  "gap",
  "altered",
  "cut",
  "accept-restore",
  "forget",
  "streams-closed",
] as const;

/** What was done. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** `done`; `begun`, of what is said before and after; or the code of the error with which it was refused. */
export type AuditResult = string;

/** One version of a record, or a record. */
export interface EntryRecord {
  /** 22 characters of base64url. */
  readonly tag: string;
  readonly version: number | null;
  /** Of a write, a removal, an adoption. */
  readonly state?: "live" | "removed";
  readonly scheme?: number;
  /** Of the message: base64url. */
  readonly sha256?: string;
  /** Of a write, a removal: the head's entry before it; null: it had none. */
  readonly previous?: string | null;
  /** Of an adoption: the entry that the head names; null: none. */
  readonly entry?: string | null;
}

/** A part that only whoever has this key reads. */
export interface EntryPerson {
  /** Version of the audit key that seals it: by it a person's entries are found. `vault`: the vault's own. */
  readonly key: string;
  /** base64url: salt 16 | IV 12 | ciphertext | tag 16. */
  readonly sealed: string;
}

/** What is sealed. */
export interface SealedPart {
  /** An opaque id, `collection:NAME`, or null: it is not known. */
  readonly subject: string | null;
  /** Records' own ids and versions, as far as there are any. */
  readonly records: readonly (readonly [id: string, version: number | null])[];
  readonly ticket?: string;
  /** Of an entry `principal`: what it is called. */
  readonly label?: string;
}

/** A call of a KMS that it took. */
export interface EntryKmsCall {
  readonly region: string;
  /** The wrapping key's ARN. */
  readonly key: string;
  /** As the KMS's own log has it. */
  readonly requestId: string;
}

/** An entry's text, parsed. Members come in this order; what there is nothing of is left out. */
export interface EntryText {
  readonly v: 1;
  readonly id: EntryId;
  readonly stream: StreamId;
  readonly number: number;
  readonly ends?: true;
  /** By the writer's clock: ISO 8601, UTC. */
  readonly at: string;
  readonly action: AuditAction;
  readonly result: AuditResult;
  readonly principal: string;
  readonly purpose?: string;
  readonly collection?: string;
  readonly records?: readonly EntryRecord[];
  readonly people?: readonly EntryPerson[];
  readonly kms?: readonly EntryKmsCall[];
  /** The export that a read is a part of. */
  readonly export?: string;
  /** Of what there is no list: names and plain values, none of them personal. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}
