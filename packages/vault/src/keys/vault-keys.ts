/**
 * The keys of a vault: found in the key store, opened, made, and held for a while. Two caches, since the keys that find
 * and name people seal no message: no bound of uses is theirs, and no crowd of people drives them out.
 */
import type { Keyring } from "@strongroom/envelope";
import { BranchKeyCache, cachedBranchKeyring } from "@strongroom/envelope/hierarchical";
import type { BranchKeyRequest, BranchKeyStore, Time } from "@strongroom/envelope/hierarchical";
import { randomSecret } from "@strongroom/envelope/keyrings";
import { isVaultError, VaultError } from "../errors.ts";
import { envelopeFailure } from "../envelope-failure.ts";
import type { KeyCacheSettings } from "../options.ts";
import type { KeyKind, KeyName, KeyRead, KeyRow, KeyVersion } from "../stores/key-store.ts";
import type { Epoch } from "../stores/gate.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { WrapSet } from "../stores/wrap-set.ts";
import { AgedMap } from "./aged-map.ts";
import { readAuditKeys, hadAudit } from "./audit-companion.ts";
import type { AuditCompanion } from "./audit-companion.ts";
import { branchKeyId, isKeyOf, keyCheck, keyTampered, ownerOf, soundRow, VAULT_OWNER } from "./key-binding.ts";
import { KeyMaker, keySetMoved, lostKey, MAKE_ATTEMPTS } from "./key-maker.ts";
import type { VaultKeyKind } from "./key-maker.ts";
import { count, noteMade } from "./key-work.ts";
import { disposable } from "./opened-key.ts";
import type { DisposableKey, OpenedKey } from "./opened-key.ts";
import { newColumns, RegionWraps, wrapSetOf } from "./region-wraps.ts";
import type { FreshKey, KeyDependencies } from "./region-wraps.ts";
import type { SubjectKeyCounts, Tenant } from "./subject-keys.ts";
import { namedTenantKey, tenantUnwrap, tenantWrap, tenantWrapSet } from "./tenant-wrap.ts";

/** The row of a key, and {@link VaultKeys.forgets} before it was read. */
export interface ReadRow {
  readonly row: KeyRow;
  readonly forgets: number;
}

/** What the wraps of a row gave. */
interface OpenedWraps extends Pick<OpenedKey, "key" | "tenant"> {
  /** Left out: as the row has it. */
  readonly wrapSet?: WrapSet;
}

export class VaultKeys {
  readonly dependencies: KeyDependencies;
  /** Opens what hangs on a key of a person or a collection: the context's subject names it. */
  readonly opening: Keyring;
  /** Null: there is no audit. */
  audit: AuditCompanion | null = null;
  readonly #regions: RegionWraps;
  readonly #maker: KeyMaker;
  readonly #people: BranchKeyCache<OpenedKey>;
  readonly #own: BranchKeyCache<OpenedKey>;
  /** Which version of a person's or a collection's keys is the active one. */
  readonly #active: AgedMap<string>;
  readonly #wrapSets: AgedMap<WrapSet>;
  readonly #made = new Map<KeyKind, number>();
  readonly #opened = new Map<KeyKind, number>();
  /** Counts what was forgotten: what was read before is not believed after it. */
  #forgets = 0;
  #closed = false;

  constructor(
    dependencies: KeyDependencies,
    { maxAgeMs, maxUses, capacity }: KeyCacheSettings,
    time: Time | undefined,
  ) {
    this.dependencies = dependencies;
    this.#regions = new RegionWraps(dependencies);
    this.#maker = new KeyMaker({
      dependencies,
      regions: this.#regions,
      rows: (names) => this.activeRows(names),
      open: (row) => this.#open(row),
      made: (fresh) => this.#madeNow(fresh, null),
      requireOpen: () => {
        this.requireOpen();
      },
    });
    const store: BranchKeyStore<OpenedKey> = {
      // Which key is active is always asked for with its kind.
      getActiveBranchKey: () => Promise.resolve(null),
      getBranchKeyVersion: (id, version) => this.#readVersion(id, version),
    };
    const bounds = { store, maxAgeMs, capacity, ...(time === undefined ? {} : { time }) };
    this.#people = new BranchKeyCache({ ...bounds, maxUses });
    this.#own = new BranchKeyCache(bounds);
    const aged = { capacity, maxAgeMs, now: () => this.#people.now() };
    this.#active = new AgedMap(aged);
    this.#wrapSets = new AgedMap(aged);
    this.opening = cachedBranchKeyring(this.#people, (context) => {
      const subject = context["strongroom:subject"] ?? "";
      const kinds = ownerOf(subject)?.kinds ?? [];
      return kinds.some((kind) => isSealing(kind)) ? subject : "";
    });
  }

  /** The active key of a person or a collection, when it is held; null: it has to be read. */
  atHand(name: KeyName): OpenedKey | null {
    const version = this.#active.get(activeId(name));
    return version === undefined ? null : this.#people.atHand({ branchKeyId: branchKeyId(name), version });
  }

  /**
   * The active key of a person or a collection. Once it was opened to read with, it is not opened again to write with.
   *
   * @param read a row and when it was read; the key store is asked when it is left out, or older than a forget
   * @returns null: there is none
   * @throws VaultError `subject-key-tampered`, and as opening does
   */
  async active(name: KeyName, signal: AbortSignal | undefined, read?: ReadRow): Promise<OpenedKey | null> {
    const held = this.atHand(name);
    if (held !== null) return held;
    const [since, forgets] = [this.now(), this.#forgets];
    const found = read?.forgets === forgets ? read.row : await this.#readActive(name);
    if (found === null) return null;
    const request = { branchKeyId: branchKeyId(name), version: found.version };
    const opened = await this.#get(request, name.kind, signal, () =>
      // Forgotten meanwhile, it is perhaps there no more.
      this.#forgets === forgets ? this.#open(found) : this.#readVersion(request.branchKeyId, found.version),
    );
    if (opened === null) return null;
    // What was at hand was opened by the row as it was then: a row that calls a retired key the newest is found here.
    if (isKeyOf(opened.key, this.dependencies.vault, found)) {
      if (this.#forgets === forgets) this.#active.set(activeId(name), found.version, since);
      return opened;
    }
    opened.key.wipe();
    throw keyTampered("The row of a key was changed after the key had been opened");
  }

  /** Rows of active keys, in one call, in their order. An error stands in the place of one that is not sound. */
  async activeRows(names: readonly KeyName[]): Promise<readonly (KeyRow | VaultError | null)[]> {
    const { store, keySets } = this.dependencies;
    if (names.length === 0) return [];
    readAuditKeys(this.audit, names);
    await keySets.requireReader();
    const reads = await store.keys.active(names);
    return names.map(({ kind, owner }, index) => {
      try {
        return soundRow(reads[index] ?? NOTHING, { owner, kinds: [kind] });
      } catch (error) {
        if (isVaultError(error)) return error;
        throw error;
      }
    });
  }

  /** One version of a key, for a text that is sealed under it. @throws VaultError `subject-key-absent` */
  async version(name: KeyName, version: string, signal: AbortSignal | undefined): Promise<OpenedKey> {
    const request = { branchKeyId: branchKeyId(name), version, uncounted: true } as const;
    const found = await this.#get(request, name.kind, signal);
    if (found === null) throw new VaultError("subject-key-absent", "The key store has no such version of a key");
    return found;
  }

  /**
   * A key of the vault itself; made when the key store is new. In one that has people, a key that is missing was lost.
   *
   * @throws VaultError `key-store-behind`, and as making and opening do
   */
  async own(kind: VaultKeyKind, signal: AbortSignal | undefined): Promise<OpenedKey> {
    const found = await this.#get(activeRequest({ kind, owner: VAULT_OWNER }), kind, signal, () =>
      this.#maker.ownOrMade(kind),
    );
    if (found === null) throw lostKey();
    return found;
  }

  /** The root of the audit's keys; made when there never was one. @throws VaultError `key-store-behind` */
  async auditRoot(signal: AbortSignal | undefined): Promise<OpenedKey> {
    // Before all others, or that they are missing would not say that they were lost.
    (await this.own("names", signal)).key.wipe();
    const hadOne = (): Promise<boolean> => hadAudit(this.dependencies.store);
    return this.#maker.onlyOrMade({ kind: "audit", owner: VAULT_OWNER }, { hadOne });
  }

  /** The key under which values are hashed for those who may not see them; made when there is none. */
  async mask(signal: AbortSignal | undefined): Promise<OpenedKey> {
    // Before all others, or that they are missing would not say that they were lost.
    (await this.own("names", signal)).key.wipe();
    const name = { kind: "mask", owner: VAULT_OWNER } as const;
    const found = await this.#get(activeRequest(name), name.kind, signal, () => this.#maker.onlyOrMade(name, {}));
    if (found === null) throw keySetMoved();
    return found;
  }

  /** The newest version of the index key; made when there never was one. @throws VaultError `key-store-behind` */
  async indexKey(hadOne: () => Promise<boolean>): Promise<OpenedKey> {
    // Before all others, or that they are missing would not say that they were lost.
    (await this.own("names", undefined)).key.wipe();
    return this.#maker.onlyOrMade({ kind: "index", owner: VAULT_OWNER }, { hadOne });
  }

  /** A version of the index key behind the newest one. */
  async nextIndexKey(signal: AbortSignal | undefined): Promise<OpenedKey> {
    return this.#maker.next({ kind: "index", owner: VAULT_OWNER }, signal);
  }

  /**
   * The active key of a tenant, or by which people are found, of the shredding generation in force; made when there is
   * none. One of another generation is used for nothing new: an old backup has it. What is made by it may be stored at
   * `epoch` only; null: what is in force is not known here, and nothing is made.
   */
  async ofGeneration(
    name: KeyName & { readonly kind: "tenant" | "lookup" },
    signal: AbortSignal | undefined,
  ): Promise<OpenedKey & { readonly epoch: Epoch | null }> {
    const { keySets } = this.dependencies;
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      const sealing = name.kind === "tenant" ? await keySets.forWriting() : await keySets.whereKnown();
      const found = await this.#get(activeRequest(name), name.kind, signal, () =>
        this.#maker.ofGeneration(name, sealing?.generation),
      );
      if (found === null) continue;
      if (sealing === null || found.generation === sealing.generation)
        return { ...found, epoch: sealing?.epoch ?? null };
      // It was held since before the generation changed, or what was heard of the gate is older than it.
      found.key.wipe();
      this.#own.forget(branchKeyId(name));
      keySets.moved();
    }
    throw keySetMoved();
  }

  /** The active key of a tenant, as {@link ofGeneration} has it. @throws VaultError `key-set-unknown` besides */
  async ofTenant(tenant: Tenant, signal: AbortSignal | undefined): Promise<DisposableKey & Pick<FreshKey, "epoch">> {
    const { epoch, ...found } = await this.ofGeneration({ kind: "tenant", owner: tenant }, signal);
    if (epoch === null) throw keySetMoved();
    return { ...disposable(found), epoch };
  }

  /**
   * A new key, not in the store yet.
   *
   * @param tenant of a `tenant-subject` key
   */
  async make(name: KeyName, ordinal: number, tenant: Tenant, signal: AbortSignal | undefined): Promise<FreshKey> {
    // Before all others, or that they are missing would not say that they were lost.
    if (name.kind === "collection") (await this.own("names", signal)).key.wipe();
    if (name.kind !== "tenant-subject") return this.#regions.make(name, ordinal, signal);
    const { vault } = this.dependencies;
    using tenantKey = await this.ofTenant(tenant, signal);
    const { epoch, generation } = tenantKey;
    const key = randomSecret(KEY_LENGTH);
    const columns = newColumns(this.dependencies, { name, ordinal, generation });
    const wraps = [tenantWrap(key, tenantKey, { vault, tenant, ...columns })];
    const wrapSet = tenantWrapSet(tenant, tenantKey.version);
    return { key, row: { ...columns, check: keyCheck(key, vault, columns), wraps, wrapSet }, epoch };
  }

  /**
   * A key that was made is in the store: it is held from now on, and counted.
   *
   * @returns a handle on it, for one use: whoever gets it wipes it
   */
  keep(fresh: FreshKey, tenant: Tenant, since: number): OpenedKey {
    this.requireOpen();
    const opened = this.#madeNow(fresh, fresh.row.kind === "tenant-subject" ? tenant : null);
    const { version } = opened;
    this.#people.put({ branchKeyId: branchKeyId(opened), version }, opened, since);
    this.#active.set(activeId(opened), version, since);
    return { ...opened, key: opened.key.share() };
  }

  /**
   * That a key under a tenant's opens where it lies to what it was made as, whatever is held of it.
   *
   * @throws VaultError `subject-key-tampered`, and as opening does
   */
  async prove(row: KeyRow): Promise<void> {
    (await this.#openTenantWrap(row)).key.wipe();
  }

  /** Wraps of keys by what messages call them; null: there is none. */
  async wrapSets(ids: readonly string[]): Promise<readonly (WrapSet | null)[]> {
    const unknown = [...new Set(ids)].filter((id) => this.#wrapSets.get(id) === undefined);
    const names = unknown.flatMap((id) => {
      const { owner, kinds } = ownerOf(id) ?? { owner: "", kinds: [] };
      return kinds.map((kind): KeyName => ({ kind, owner }));
    });
    for (const row of await this.activeRows(names))
      // In the order of the kinds: of somebody who has keys of both, those in the regions.
      if (row !== null && !(row instanceof VaultError) && this.#wrapSets.get(branchKeyId(row)) === undefined)
        this.#wrapSets.set(branchKeyId(row), row.wrapSet ?? wrapSetOf(row.wraps));
    return ids.map((id) => this.#wrapSets.get(id) ?? null);
  }

  /** Milliseconds of the clock by which keys age. */
  now(): number {
    return this.#people.now();
  }

  /** How often something was forgotten, for {@link ReadRow}. */
  get forgets(): number {
    return this.#forgets;
  }

  forget(id: string): void {
    this.#forgets++;
    this.#people.forget(id);
    for (const kind of ownerOf(id)?.kinds ?? []) this.#active.delete(activeId({ kind, owner: id }));
    this.#wrapSets.delete(id);
  }

  counts(): SubjectKeyCounts {
    const [people, own] = [this.#people.counts(), this.#own.counts()];
    return {
      held: this.#people.size + this.#own.size,
      hits: people.hits + own.hits,
      misses: people.misses + own.misses,
      shared: people.shared + own.shared,
      evictions: people.evictions + own.evictions,
      made: Object.fromEntries(this.#made),
      opened: Object.fromEntries(this.#opened),
    };
  }

  close(): void {
    this.#closed = true;
    this.#people.close();
    this.#own.close();
    this.#active.clear();
    this.#wrapSets.clear();
  }

  /** Nothing is stored after a close. @throws VaultError `aborted` */
  requireOpen(): void {
    if (this.#closed) throw new VaultError("aborted", "The vault was closed");
  }

  #cacheOf(kind: KeyKind): BranchKeyCache<OpenedKey> {
    return isSealing(kind) ? this.#people : this.#own;
  }

  async #get(
    request: BranchKeyRequest,
    kind: KeyKind,
    signal: AbortSignal | undefined,
    fetch?: () => Promise<OpenedKey | null>,
  ): Promise<OpenedKey | null> {
    this.requireOpen();
    try {
      return await this.#cacheOf(kind).get(request, signal, fetch);
    } catch (error) {
      this.requireOpen();
      throw envelopeFailure(error);
    }
  }

  async #readActive(name: KeyName): Promise<KeyRow | null> {
    const [row = null] = await this.activeRows([name]);
    if (row instanceof VaultError) throw row;
    return row;
  }

  async #readVersion(id: string, version: string): Promise<OpenedKey | null> {
    const asked = ownerOf(id);
    if (asked === null) return null;
    const { store, keySets } = this.dependencies;
    readAuditKeys(this.audit, [{ kind: asked.kinds[0] ?? "subject", owner: asked.owner }]);
    await keySets.requireReader();
    const row = soundRow(await store.keys.version(asked.owner, version as KeyVersion), { ...asked, version });
    if (row !== null) return await this.#open(row);
    if (isSubjectId(asked.owner)) await this.requireNotErased(asked.owner);
    return null;
  }

  /**
   * Of somebody whose key or name is not there, though it was a moment ago: erased meanwhile, they have a tombstone.
   *
   * @throws VaultError `subject-erased`
   */
  async requireNotErased(id: SubjectId): Promise<void> {
    const [isErased] = await this.dependencies.store.keys.erased([id]);
    if (isErased === true) throw new VaultError("subject-erased", "The person was erased");
  }

  /** Opens a row that is the one which was asked for. */
  async #open(row: KeyRow): Promise<OpenedKey> {
    const { kind, owner, version, ordinal, generation } = row;
    const {
      key,
      tenant,
      wrapSet = row.wrapSet ?? wrapSetOf(row.wraps),
    } = kind === "tenant-subject" ? await this.#openTenantWrap(row) : await this.#openWraps(row);
    count(this.#opened, kind);
    this.#wrapSets.set(branchKeyId(row), wrapSet);
    return { kind, owner, version, ordinal, generation, tenant, wrapSet, key };
  }

  async #openWraps(row: KeyRow): Promise<OpenedWraps> {
    const { key, refused } = await this.#regions.open(row);
    const wrapSet = refused === undefined || this.#closed ? null : await this.#regions.owe(row, refused);
    return { key, tenant: null, ...(wrapSet === null ? {} : { wrapSet }) };
  }

  /** The wrap names whose key it is under; that this is true its opening says. */
  async #openTenantWrap(row: KeyRow): Promise<OpenedWraps> {
    const named = namedTenantKey(row.wraps);
    if (named === null) throw keyTampered("A person's key is not under a tenant's key as its row says");
    const { wrap, tenant } = named;
    const { vault } = this.dependencies;
    using tenantKey = disposable(await this.version({ kind: "tenant", owner: tenant }, named.version, undefined));
    const key = tenantUnwrap(wrap, tenantKey, { vault, tenant, ...row });
    if (key !== null && isKeyOf(key.bytes, vault, row)) return { key, tenant };
    key?.wipe();
    throw keyTampered("A person's key does not open under the tenant's key to the key that it was made as");
  }

  /** A key that was made is in the store: it is counted, and what its wraps are is known. */
  #madeNow({ key, row }: FreshKey, tenant: Tenant | null): OpenedKey {
    const { kind, owner, version, ordinal, generation, wrapSet } = row;
    count(this.#made, kind);
    noteMade(row);
    this.#wrapSets.set(branchKeyId(row), wrapSet);
    return { kind, owner, version, ordinal, generation, tenant, wrapSet, key };
  }
}

const KEY_LENGTH = 32;
const NOTHING: KeyRead = { key: null };

/** Kinds that seal messages. */
function isSealing(kind: KeyKind): boolean {
  return kind === "subject" || kind === "tenant-subject" || kind === "collection";
}

/** A key of the vault or a tenant, which has one active version. */
function activeRequest(name: KeyName): BranchKeyRequest {
  return { branchKeyId: branchKeyId(name), version: null };
}

/** A person may have an active key of two kinds. */
function activeId({ kind, owner }: KeyName): string {
  return `${kind} ${owner}`;
}
