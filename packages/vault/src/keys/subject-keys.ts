/**
 * What the records ask of the keys: whose key seals a version, what opens one, and who a person is. The only face of
 * this folder that `records/` knows.
 */
import type { Keyring } from "@strongroom/envelope";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { AuditKeys } from "../audit/audit-keys.ts";
import type { Collection, RecordId, Subject } from "../records/address.ts";
import type { KeyKind, KeyRewrap, KeyRow, KeyVersion } from "../stores/key-store.ts";
import type { Scope, SubjectId, UnitSubject } from "../stores/subjects.ts";
import type { WrapSet } from "../stores/wrap-set.ts";

/** A tenant: `[a-z0-9][a-z0-9._-]{0,62}`. It is in the KMS's log in clear: no personal data in it. */
export type Tenant = string & { readonly __brand?: "tenant" };

/** Whom a version is about, as its writer knows it. */
export type Whom =
  /** By name: made known if nobody has that name yet. Two tenants' people of one name are two. */
  | { readonly kind: "name"; readonly name: Subject; readonly tenant: Tenant }
  /** Who the version before was about. */
  | { readonly kind: "id"; readonly id: SubjectId; readonly tenant: Tenant }
  /** Nobody: the collection has a key. */
  | { readonly kind: "nobody"; readonly collection: Collection };

/** What is asked for a write. */
export interface SealerRequest {
  readonly scope: Scope;
  readonly whom: Whom;
  /** Further people, by name. */
  readonly also: readonly Subject[];
}

/** What seals a version. Whoever has it disposes of it: the key is wiped when nobody holds it any more. */
export interface Sealer extends Disposable {
  /** As the version's row and context have it: an opaque id, or `collection:NAME`. */
  readonly subject: Subject;
  /** As the caller says it; null when it is about nobody. */
  readonly name: Subject | null;
  /** Whose person it is. */
  readonly tenant: Tenant;
  /** Whether the person was made for it: of several sealers of one call, the first says so. */
  readonly isNew: boolean;
  /** Further people, sorted, without the subject. */
  readonly about: readonly SubjectId[];
  /** Everybody, for the unit: sorted, each once. */
  readonly subjects: readonly UnitSubject[];
  /** Seals under the person's key; null in `record` scope: the keyring of the key set does. */
  readonly keyring: Keyring | null;
  /** Of the person's key; null in `record` scope, where the message has wraps of its own. */
  readonly wrapSet: WrapSet | null;
  /** The record's own id, sealed under the same key (in `record` scope, under the names key). */
  sealId(collection: Collection, rowId: RecordId, id: RecordId): Uint8Array;
}

/** How many calls a cache spared, and what it holds. No id, no key. */
export interface SubjectKeyCounts {
  readonly held: number;
  readonly hits: number;
  readonly misses: number;
  readonly shared: number;
  readonly evictions: number;
  /** Keys that were made, by kinds: each a call to the KMS for every region, but for those under a tenant's key. */
  readonly made: Readonly<Partial<Record<KeyKind, number>>>;
  /** Keys that were opened, by their kinds: each a call to the KMS, but for those under a tenant's key. */
  readonly opened: Readonly<Partial<Record<KeyKind, number>>>;
}

/** As what a key is to lie there. */
export interface ChangedKind {
  readonly kind: Extract<KeyKind, "subject" | "tenant-subject">;
  readonly ordinal: number;
}

/** What the change of its row is; nothing of it is stored yet. */
export type KindChange = Pick<KeyRewrap, "epoch" | "wraps" | "moved" | "wrapSet">;

/** The versions of the index key, from which the keys of all tags are derived. */
export interface IndexKeys {
  /** Newest first; none: there is none yet. Opens none of them. @throws VaultError `subject-key-tampered` */
  versions(): Promise<readonly KeyVersion[]>;
  /** The root of one version, which the caller wipes. @throws VaultError `subject-key-absent`, as opening a key does */
  root(version: KeyVersion, signal: AbortSignal | undefined): Promise<SecretBytes>;
  /**
   * Makes the first version, unless there is one.
   *
   * @param hadOne whether there was one before: it is lost then
   * @throws VaultError `key-store-behind`, and as making a key does
   */
  first(hadOne: () => Promise<boolean>): Promise<void>;
  /** Makes another version, from which tags are made from then on. @throws VaultError as making a key does */
  next(signal: AbortSignal | undefined): Promise<KeyVersion>;
}

/** The keys of a vault that has a key store. */
export interface SubjectKeys {
  /** Of the vault: every context of scheme 2 names it. */
  readonly vault: string;
  /**
   * One sealer for each request, in their order. Keys that are not there are made, together where the store can do
   * that. A request that fails for itself is an error in its place.
   *
   * @throws VaultError about the regions or the key store, which fails all of them
   */
  sealers(requests: readonly SealerRequest[], signal: AbortSignal | undefined): Promise<readonly (Sealer | Error)[]>;
  /** Opens what hangs on a key of the key store: the branch key is the context's subject. */
  readonly opening: Keyring;
  /** What tags of documents are made with. */
  readonly indexKeys: IndexKeys;
  /** Ids of people by names; null: nobody has it. Makes nobody. */
  resolve(
    names: readonly { readonly name: Subject; readonly tenant: Tenant }[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (SubjectId | null)[]>;
  /** The name of somebody, as the caller says it. @throws VaultError `subject-name-absent`, `subject-key-tampered` */
  nameOf(id: SubjectId, signal: AbortSignal | undefined): Promise<Subject>;
  /** Whose person somebody is. @throws VaultError as `nameOf` does */
  tenantOf(id: SubjectId, signal: AbortSignal | undefined): Promise<Tenant>;
  /** The row ids of records in a collection whose ids are sealed: a keyed hash of each, 43 characters. */
  rowIds(
    collection: Collection,
    ids: readonly RecordId[],
    signal: AbortSignal | undefined,
  ): Promise<readonly RecordId[]>;
  /** Opens what `Sealer.sealId` made. @throws VaultError `record-tampered` and what opening a key throws */
  openId(
    sealed: Uint8Array,
    place: { readonly collection: Collection; readonly rowId: RecordId },
    signal: AbortSignal | undefined,
  ): Promise<RecordId>;
  /**
   * That the name of somebody opens where it lies, whatever is held of it.
   *
   * @throws VaultError `subject-name-absent`, `subject-key-tampered`, and as opening a key does
   */
  proveName(id: SubjectId, signal: AbortSignal | undefined): Promise<void>;
  /** The same of a person's key under a tenant's. @throws VaultError `subject-key-tampered`, and as opening does */
  proveKey(row: KeyRow): Promise<void>;
  /** Wraps of the keys of these people, as the key store has them; null: none. */
  wrapSets(owners: readonly string[]): Promise<readonly (WrapSet | null)[]>;
  /** A new version of a person's key, which seals from now on; what was sealed before still opens. */
  renew(id: SubjectId, scope: Exclude<Scope, "record">, signal: AbortSignal | undefined): Promise<void>;
  /**
   * What the row of a person's key becomes when it changes its kind: the same key under the same version.
   *
   * @throws VaultError `subject-name-absent`, `subject-key-tampered`, and as opening and wrapping a key do
   */
  changeKind(
    row: KeyRow,
    as: ChangedKind,
    wishes: { readonly isProven: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<KindChange>;
  /**
   * What the row of a person's key becomes that is wrapped anew under the key of their tenant in the shredding
   * generation in force.
   *
   * @throws VaultError `subject-key-tampered`, and as opening and making a key do
   */
  underTenant(row: KeyRow, signal: AbortSignal | undefined): Promise<KindChange>;
  /**
   * Puts the name of somebody under the hash of the shredding generation in force.
   *
   * @returns false: it was changed meanwhile, and is to be looked at again
   * @throws VaultError `subject-key-tampered`, and as opening a key does
   */
  retag(id: SubjectId, signal: AbortSignal | undefined): Promise<boolean>;
  /** Wipes what is held of somebody: keys, and which id their name has. */
  forget(id: SubjectId): void;
  /**
   * The keys of the audit, from now on: people's first keys come with one. Made when there never were any. They are
   * closed with these.
   *
   * @throws VaultError `key-store-behind`, `subject-key-tampered`, and as making and opening do
   */
  audit(signal: AbortSignal | undefined): Promise<AuditKeys>;
  /** Under which values are hashed for those who may not see them. Whoever has it wipes it. */
  maskKey(signal: AbortSignal | undefined): Promise<SecretBytes>;
  counts(): SubjectKeyCounts;
  /** Wipes everything. */
  close(): void;
}
