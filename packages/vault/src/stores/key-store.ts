/**
 * What the vault asks of a place that keeps keys: a database of its own, so that a backup of the records alone opens
 * nothing. It knows rows and wrapped bytes; it never sees a key in clear, nor a person's name.
 * `@strongroom/vault/store-contract` has the tests that every key store passes.
 *
 * - A key has an owner (a person's opaque id, a tenant, a collection, or the vault itself) and versions. The active one
 *   is the one of the highest ordinal; ordinals only grow. No column says "active", so none can be set to it.
 * - `create` is insert-if-absent: of two processes that make the same key, or the same person, one wins and the other
 *   is told, and uses the winner's.
 * - An owner with a tombstone has no keys and gets none.
 * - Nothing is made under a key set that is not in force any more: the gate of the key store says which is.
 * - What is stored is not trusted: a row that holds what nobody writes is told as damage, and fails nothing else.
 */
import type { Gate, Epoch } from "./gate.ts";
import type { Inventory, RewrapResult } from "./inventory.ts";
import type { JobStore, Lease } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import type { Stamp } from "./rows.ts";
import type { StoreKind } from "./store.ts";
import type { SubjectId } from "./subjects.ts";
import type { WrapSet } from "./wrap-set.ts";

declare const brand: unique symbol;

/** The version of a key: a random version 4 UUID in lower case. The messages that hang on it name it. */
export type KeyVersion = string & { readonly [brand]: "key-version" };

/**
 * `subject`: a person's, under the regions. `tenant-subject`: a person's, under a tenant key. `collection`: of a
 * collection that is about nobody. `tenant`: wraps people's. `lookup`: finds people by name. `names`: seals names and
 * ids. `index` and `audit` are for search and the audit; under `mask` values are hashed for those who may not see them.
 */
export type KeyKind =
  "subject" | "tenant-subject" | "collection" | "tenant" | "lookup" | "names" | "index" | "audit" | "mask";

/** Every kind, in one order. */
export const KEY_KINDS: readonly KeyKind[] = [
  "subject",
  "tenant-subject",
  "collection",
  "tenant",
  "lookup",
  "names",
  "index",
  "audit",
  "mask",
];

/** Whose key. */
export interface KeyName {
  readonly kind: KeyKind;
  /** 1 to 256 bytes of UTF-8: an opaque id, a tenant, a collection, or `vault`. */
  readonly owner: string;
}

/** One version of a key. */
export interface KeyPlace extends KeyName {
  readonly version: KeyVersion;
}

/** One wrapped form of a key. */
export interface KeyWrap {
  readonly provider: string;
  /** Of the wrapping key, as its provider writes it into a message: an ARN's bytes, or a name with an IV. */
  readonly info: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** A version of a key as it is made. */
export interface NewKey extends KeyPlace {
  /** From 1; one more than the version before it. */
  readonly ordinal: number;
  /** Shredding generation of the wraps. */
  readonly generation: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** 32 bytes, by which whoever has opened the key knows it and its row's columns again. */
  readonly check: Uint8Array;
  readonly wraps: readonly KeyWrap[];
  readonly wrapSet: WrapSet;
}

/** A version of a key as it lies in the store. */
export interface KeyRow extends Omit<NewKey, "wrapSet"> {
  /** What a rewrite of its wraps names, so that it replaces what was read and nothing else. */
  readonly stamp: Stamp;
  /** Null when the wrap set's row holds what nobody writes. */
  readonly wrapSet: WrapSet | null;
}

/** A row, and that there is one which holds what nobody writes. */
export interface KeyRead {
  /** Null when there is none, or none that is sound. */
  readonly key: KeyRow | null;
  /** Columns that hold what nobody writes, by their names; left out when none does. */
  readonly damage?: string;
}

/** A person's name. */
export interface NameRow {
  readonly id: SubjectId;
  /** 32 bytes: a keyed hash of the name, by which the person is found. */
  readonly tag: Uint8Array;
  /** The name, sealed. At most 1,024 bytes. */
  readonly sealed: Uint8Array;
}

/** What is made at once, or not at all: a person, a key, or a person with a key of their own (the same id). */
export interface Creation {
  /** Of the key store's gate, when the key was wrapped. Of a creation without a key, any. */
  readonly epoch: Epoch;
  readonly name: NameRow | null;
  readonly key: NewKey | null;
}

/** What became of a creation. Where more than one of these is true, the first of them is told. */
export type CreationResult =
  | { readonly kind: "made" }
  /** Only of a creation with a key. */
  | { readonly kind: "gate-moved"; readonly epoch: Epoch }
  /** The owner was erased. */
  | { readonly kind: "erased" }
  /**
   * The name's tag belongs to somebody, whose id is told (or the person has a name already: then it is theirs), or the
   * owner has a key of that kind and ordinal, or of that version: nothing was made, and what is there is to be used.
   * `id` is null when it was the key. Of two creations of one call the second finds what the first made.
   */
  | { readonly kind: "exists"; readonly id: SubjectId | null };

/** A version of a key that goes. */
export interface KeyDrop {
  readonly place: KeyPlace;
  /** As it was read: nothing goes unless it still is this. */
  readonly seen: Stamp;
  /** Of the key store's gate, when it was found that nothing hangs on it. */
  readonly epoch: Epoch;
}

/** A name under another hash. */
export interface NameRetag {
  readonly id: SubjectId;
  /** The hash that was read: nothing is changed unless it still is this. */
  readonly seen: Uint8Array;
  readonly tag: Uint8Array;
  /** Of the key store's gate, when the hash was made. */
  readonly epoch: Epoch;
}

/** Keys and names. */
export interface KeyRows {
  /** Who has each of these tags, in their order. */
  resolve(tags: readonly Uint8Array[]): Promise<readonly (SubjectId | null)[]>;
  /** The names of these people, in their order. */
  names(ids: readonly SubjectId[]): Promise<readonly (NameRow | null)[]>;
  /** The newest version (highest ordinal) of each key, in their order. */
  active(names: readonly KeyName[]): Promise<readonly KeyRead[]>;
  /** One version of one of an owner's keys, whatever its kind. */
  version(owner: string, version: KeyVersion): Promise<KeyRead>;
  /**
   * Whose these versions of keys are, in their order, where nothing but a version is known; null: there is no such
   * version, or its row is not sound. At most 1,000.
   */
  owners(versions: readonly KeyVersion[]): Promise<readonly (KeyName | null)[]>;
  /** All versions of a key, newest first, at most 1,000. */
  versions(name: KeyName): Promise<readonly KeyRead[]>;
  /**
   * Makes each creation, for itself, and answers in its place; together in one transaction where the store can do that.
   * What is answered as made is durable. At most 1,000; what a row may hold is in key-limits.ts.
   *
   * @throws VaultError `store-failed`: one of them is beyond these limits; none was made
   * @throws VaultError `outcome-unknown`: some may be made; asking `active` and `resolve` tells, and creating again is
   *   safe.
   */
  create(creations: readonly Creation[]): Promise<readonly CreationResult[]>;
  /**
   * Destroys all keys and the name of these people and leaves a tombstone, in one transaction. Done when it is done
   * already. The state of their rows in the record store is changed first: a process that still holds a key would seal
   * what nobody opens.
   */
  erase(ids: readonly SubjectId[], at: string): Promise<void>;
  /** Destroys one version of a key of the vault or of a tenant. `made`: it is gone. */
  drop(drop: KeyDrop): Promise<RewrapResult>;
  /** Puts a name under another hash, where nobody else has that. `overtaken` also where somebody has. */
  retag(retag: NameRetag): Promise<RewrapResult>;
  /** Which of these owners have a tombstone, in their order. */
  erased(ids: readonly SubjectId[]): Promise<readonly boolean[]>;
  /** Ids of the people that have a name or a key, in their order. */
  people(page: { readonly after: SubjectId | null; readonly limit: number }): Promise<readonly SubjectId[]>;
  /** How many versions of keys there are of each kind. Counts them: not for a health check. */
  counts(): Promise<Readonly<Record<KeyKind, number>>>;
}

/** The same key in other wraps, or under a corrected account of them. */
export interface KeyRewrap {
  readonly place: KeyPlace;
  /** As it was read: nothing is changed unless it still is this. */
  readonly seen: Stamp;
  /** Of the key store's gate, when the new wraps were made. */
  readonly epoch: Epoch;
  /** Null: the wraps stay. */
  readonly wraps: readonly KeyWrap[] | null;
  /**
   * Of `wraps`, and the check that goes with it; null: it stays. Without new wraps, null. With another kind the key
   * becomes the owner's of that kind and ordinal, under the same version; where they have one of that ordinal already,
   * nothing is changed (`overtaken`).
   */
  readonly moved: {
    readonly generation: number;
    readonly check: Uint8Array;
    readonly as?: { readonly kind: KeyKind; readonly ordinal: number };
  } | null;
  readonly wrapSet: WrapSet;
  /** ISO 8601, UTC: since when the key has the new set. */
  readonly at: string;
  /** Nothing is changed unless the lease is still held. Null: no job does it. */
  readonly lease: Lease | null;
}

/** The newest checkpoint of the audit's log, kept apart from the log, so that a log that was set back is noticed. */
export interface CheckpointRow {
  /** A signed note, of at most 64 KiB; null: there is none yet. */
  read(): Promise<string | null>;
  /** Puts another in the place of the one that was seen; `overtaken`: it is another one by now, nothing was changed. */
  replace(note: string, seen: string | null): Promise<"replaced" | "overtaken">;
}

/** Everything that a vault needs of the place that keeps its keys. */
export interface KeyStore {
  readonly keys: KeyRows;
  /** Its own: which key set wraps keys, and which record store it belongs to (`peer`). */
  readonly gate: Gate;
  /** In an item, `collection` is the key's kind and `id` its owner. */
  readonly inventory: Inventory<KeyPlace, KeyRewrap>;
  readonly jobs: JobStore;
  readonly outbox: Outbox;
  readonly checkpoint: CheckpointRow;
  /** Resolves when there is room for more. @throws VaultError `store-full` */
  requireRoom(): Promise<void>;
  /** Resolves when the store can answer. */
  ping(): Promise<void>;
  /** As of a store of records. */
  readonly kind?: StoreKind;
  readonly dropTraces?: () => Promise<void>;
  close(): Promise<void>;
}
