/**
 * Makes the facade that records use (subject-keys.ts) of a key store and the keyring that wraps keys in it.
 */
import type { Time } from "@strongroom/envelope/hierarchical";
import { keyedHash } from "@strongroom/envelope/keyrings";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { AuditKeys } from "../audit/audit-keys.ts";
import { StoredAuditKeys } from "../audit/stored-audit-keys.ts";
import { VaultError } from "../errors.ts";
import type { KeyCacheSettings } from "../options.ts";
import type { Collection, RecordId, Subject } from "../records/address.ts";
import type { KeyName, KeyRow, KeyStore } from "../stores/key-store.ts";
import type { Scope, SubjectId } from "../stores/subjects.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import type { AgedMapOptions } from "./aged-map.ts";
import { changeKind, rewrapUnderTenant } from "./change-kind.ts";
import type { KeyCostMeter } from "./cost.ts";
import { createdOrLost } from "./creations.ts";
import type { KeySets } from "./key-sets.ts";
import { branchKeyId, DEFAULT_TENANT, VAULT_OWNER } from "./key-binding.ts";
import { StoredIndexKeys } from "./index-keys.ts";
import { lp } from "./length-prefixed.ts";
import { People, requireSame } from "./people.ts";
import type { Named } from "./people.ts";
import { idPlace } from "./key-sealer.ts";
import { sealersFor } from "./sealers.ts";
import { openText, textHeader } from "./sealed-text.ts";
import type { TextHeader, TextOwner } from "./sealed-text.ts";
import type {
  ChangedKind,
  KindChange,
  Sealer,
  SealerRequest,
  SubjectKeyCounts,
  SubjectKeys,
  Tenant,
} from "./subject-keys.ts";
import { keySetMoved, MAKE_ATTEMPTS } from "./key-maker.ts";
import { VaultKeys } from "./vault-keys.ts";

/** What the keys of a vault are opened with. */
export interface SubjectKeysOptions {
  readonly store: KeyStore;
  /** The vault's id, as the gate of the records has it. */
  readonly vault: string;
  /** Over the gate of the key store. */
  readonly keySets: KeySets;
  readonly cache: KeyCacheSettings;
  /** Counts keys that are opened for other things than messages; nothing does when left out. */
  readonly cost?: Pick<KeyCostMeter, "openedKey"> | null;
  readonly clock: () => Date;
  /** By which keys age, for tests. */
  readonly time?: Time;
}

/** The keys of a vault over its key store, which stays the caller's to close. */
export function openSubjectKeys({ cache, time, cost = null, ...dependencies }: SubjectKeysOptions): SubjectKeys {
  return new StoredSubjectKeys(new VaultKeys(dependencies, cache, time), cache, cost);
}

const ROW_ID_LABEL = "strongroom/record-id/1";

class StoredSubjectKeys implements SubjectKeys {
  readonly vault: string;
  readonly opening: SubjectKeys["opening"];
  readonly indexKeys: SubjectKeys["indexKeys"];
  readonly #keys: VaultKeys;
  readonly #people: People;
  readonly #bounds: AgedMapOptions;
  #audit: Promise<AuditKeys> | null = null;
  #closed = false;
  readonly #cost: Pick<KeyCostMeter, "openedKey"> | null;

  constructor(keys: VaultKeys, { capacity, maxAgeMs }: KeyCacheSettings, cost: Pick<KeyCostMeter, "openedKey"> | null) {
    this.#cost = cost;
    this.vault = keys.dependencies.vault;
    this.opening = keys.opening;
    this.indexKeys = new StoredIndexKeys(keys);
    this.#keys = keys;
    this.#bounds = { capacity, maxAgeMs, now: () => keys.now() };
    this.#people = new People(keys, this.#bounds);
  }

  sealers(
    requests: readonly SealerRequest[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (Sealer | VaultError)[]> {
    return sealersFor(this.#keys, this.#people, requests, signal);
  }

  resolve(names: readonly Named[], signal: AbortSignal | undefined): Promise<readonly (SubjectId | null)[]> {
    return this.#people.resolve(names, signal);
  }

  async nameOf(id: SubjectId, signal: AbortSignal | undefined): Promise<Subject> {
    return (await this.#named(id, signal)).name;
  }

  async tenantOf(id: SubjectId, signal: AbortSignal | undefined): Promise<Tenant> {
    return (await this.#named(id, signal)).tenant;
  }

  async #named(id: SubjectId, signal: AbortSignal | undefined): Promise<Named> {
    const known = this.#people.knownById(id);
    if (known !== null) return known;
    const [found] = await this.#people.names([id], signal);
    return requireSame(found, null);
  }

  async proveName(id: SubjectId, signal: AbortSignal | undefined): Promise<void> {
    await this.#people.prove(id, signal);
  }

  async proveKey(row: KeyRow): Promise<void> {
    await this.#keys.prove(row);
  }

  async rowIds(
    collection: Collection,
    ids: readonly RecordId[],
    signal: AbortSignal | undefined,
  ): Promise<readonly RecordId[]> {
    using names = (await this.#keys.own("names", signal)).key;
    return ids.map((id) => {
      const hash = keyedHash(names, lp([ROW_ID_LABEL, this.vault, collection, id]));
      return hash.toString("base64url") as RecordId;
    });
  }

  async openId(
    sealed: Uint8Array,
    { collection, rowId }: { readonly collection: Collection; readonly rowId: RecordId },
    signal: AbortSignal | undefined,
  ): Promise<RecordId> {
    const header = textHeader(sealed);
    if (header === null) throw tampered();
    const { owner, name } = sealedUnder(header, collection);
    const { kind, tenant, key: handle } = await this.#keys.version(name, header.version, signal);
    using key = handle;
    // The vault's own are in none of what is counted.
    const used = kind === "tenant-subject" ? "tenant" : kind === "names" ? null : "subject";
    if (used !== null) this.#cost?.openedKey({ scope: used, owner: branchKeyId(name), tenant });
    const text = openText(sealed, owner, { version: header.version, key }, idPlace(this.vault, collection, rowId));
    if (text === null) throw tampered();
    const [expected] = await this.rowIds(collection, [text as RecordId], signal);
    // Its own hash says what it is, so it is an id as it was when it was sealed.
    if (expected !== rowId) throw tampered();
    return text as RecordId;
  }

  wrapSets(owners: readonly string[]): Promise<readonly (WrapSet | null)[]> {
    return this.#keys.wrapSets(owners);
  }

  async renew(id: SubjectId, scope: Exclude<Scope, "record">, signal: AbortSignal | undefined): Promise<void> {
    const { store, keySets } = this.#keys.dependencies;
    const name: KeyName = { kind: scope === "subject" ? "subject" : "tenant-subject", owner: id };
    let lost: string | null = null;
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      // Asked anew, and opened: a row that somebody made up is not continued.
      this.#keys.forget(id);
      const active = await this.#keys.active(name, signal);
      if (active === null) throw new VaultError("subject-key-absent", "The person has no key of that scope to renew");
      active.key.wipe();
      if (active.version === lost) return;
      const tenant: Tenant = active.tenant ?? DEFAULT_TENANT;
      const fresh = await this.#keys.make(name, active.ordinal + 1, tenant, signal);
      using key = fresh.key;
      this.#keys.requireOpen();
      const [result] = await createdOrLost(store.keys, [{ epoch: fresh.epoch, name: null, key: fresh.row }]);
      // The older one, also where it is being opened now.
      this.#keys.forget(id);
      const since = this.#keys.now();
      if (result?.kind === "made") {
        this.#keys.keep({ ...fresh, key }, tenant, since).key.wipe();
        return;
      }
      // Somebody else renewed it at the same time.
      if (result?.kind === "exists") return;
      if (result?.kind === "erased") throw new VaultError("subject-erased", "The person was erased");
      if (result === undefined) lost = fresh.row.version;
      else keySets.moved();
    }
    throw keySetMoved();
  }

  async changeKind(
    row: KeyRow,
    as: ChangedKind,
    { isProven, signal }: { readonly isProven: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<KindChange> {
    const id = row.owner as SubjectId;
    const [found] = await this.#people.names([id], signal);
    const { tenant } = requireSame(found, null);
    return changeKind(this.#keys, row, as, { tenant, isProven, signal });
  }

  underTenant(row: KeyRow, signal: AbortSignal | undefined): Promise<KindChange> {
    return rewrapUnderTenant(this.#keys, row, signal);
  }

  retag(id: SubjectId, signal: AbortSignal | undefined): Promise<boolean> {
    return this.#people.retag(id, signal);
  }

  async audit(signal: AbortSignal | undefined): Promise<AuditKeys> {
    this.#audit ??= this.#openAudit(signal);
    try {
      return await this.#audit;
    } catch (error) {
      this.#audit = null;
      throw error;
    }
  }

  async #openAudit(signal: AbortSignal | undefined): Promise<AuditKeys> {
    const { version, key } = await this.#keys.auditRoot(signal);
    const { dependencies } = this.#keys;
    const root = { vault: this.vault, version, key };
    const opened = new StoredAuditKeys({ root, dependencies, bounds: this.#bounds });
    if (this.#closed) opened.close();
    this.#keys.audit = opened;
    return opened;
  }

  async maskKey(signal: AbortSignal | undefined): Promise<SecretBytes> {
    return (await this.#keys.mask(signal)).key;
  }

  forget(id: SubjectId): void {
    this.#people.forget(id);
    this.#keys.forget(id);
  }

  counts(): SubjectKeyCounts {
    return this.#keys.counts();
  }

  close(): void {
    this.#closed = true;
    // What is being opened is closed when it is.
    this.#audit?.then(
      (audit) => {
        audit.close();
      },
      () => undefined,
    );
    this.#keys.close();
    this.#people.clear();
  }
}

/** Whose key a sealed id says that it is under: of which owner it is, its opening says. */
function sealedUnder({ kind, ownerId }: TextHeader, collection: Collection): { owner: TextOwner; name: KeyName } {
  if (kind === "vault") return { owner: { kind, owner: VAULT_OWNER }, name: { kind: "names", owner: VAULT_OWNER } };
  if (kind === "collection") return { owner: { kind, owner: collection }, name: { kind, owner: collection } };
  const owner = ownerId ?? "";
  return { owner: { kind, owner }, name: { kind: "subject", owner } };
}

function tampered(): VaultError {
  return new VaultError("record-tampered", "The sealed id of a record is none, or another record's");
}
