/**
 * The keys of the audit (audit-keys.ts) over the key store of a vault: the root opened once, what is derived from it,
 * and people's keys, read and made for many at once and held for a while.
 */
import { randomSecret, SecretBytes } from "@strongroom/envelope/keyrings";
import { AgedMap } from "../keys/aged-map.ts";
import type { AgedMapOptions } from "../keys/aged-map.ts";
import type { AuditCompanion } from "../keys/audit-companion.ts";
import { createdOrLost } from "../keys/creations.ts";
import { keyCheck, keyTampered, soundRow, VAULT_OWNER } from "../keys/key-binding.ts";
import { newColumns } from "../keys/region-wraps.ts";
import type { FreshKey, KeyDependencies, MadeAt } from "../keys/region-wraps.ts";
import { keySetMoved, MAKE_ATTEMPTS } from "../keys/key-maker.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { Address } from "../records/address.ts";
import type { KeyName, KeyRead, KeyVersion } from "../stores/key-store.ts";
import type { AddressTag } from "../stores/outbox.ts";
import { addressTag } from "./address-tag.ts";
import { AUDIT_WRAP_SET, auditUnwrap, auditWrap } from "./audit-wrap.ts";
import type { AuditRoot } from "./audit-wrap.ts";
import type { AuditKeyOwner, AuditKeys, PartKey, PartOfEntry, PartOwner } from "./audit-keys.ts";
import type { SealedPart } from "./entry.ts";
import { derivedKey, KEY_LENGTH, KeyedHash } from "./key-derivation.ts";
import { openPart, PartSealing } from "./sealed-part.ts";

/** The root and where the keys under it lie. */
export interface AuditKeysOptions {
  /** Taken over: it is wiped at the close. */
  readonly root: AuditRoot;
  readonly dependencies: KeyDependencies;
  /** Bounds of the keys in memory. */
  readonly bounds: AgedMapOptions;
}

const LABELS = {
  mac: "strongroom/audit-mac/1",
  address: "strongroom/audit-address/1",
  sign: "strongroom/audit-sign/1",
  statements: "strongroom/audit-statements/1",
  certificates: "strongroom/audit-certificates/1",
  own: "strongroom/audit-own/1",
} as const;

/** Key of the parts that are about nobody known. */
const OWN_VERSION = "vault";
const TAGS_HELD = 8_192;
/** Most names and creations of one call of the key store. */
const KEYS_AT_ONCE = 1_000;

/** Keys of the audit over the key store of a vault. */
export class StoredAuditKeys implements AuditKeys, AuditCompanion {
  readonly vault: string;
  readonly #root: AuditRoot;
  readonly #dependencies: KeyDependencies;
  readonly #mac: KeyedHash;
  readonly #address: KeyedHash;
  /** Of addresses that were asked for lately. */
  readonly #tags = new Map<string, AddressTag>();
  readonly #sign: SecretBytes;
  readonly #statements: SecretBytes;
  readonly #certificates: SecretBytes;
  readonly #own: SecretBytes;
  #ownSealing: PartSealing;
  readonly #held: AgedMap<PartSealing>;
  /** Keys that are being read, or made, once for all who wait. */
  readonly #coming = new Map<PartOwner, Promise<Fetched>>();
  readonly #now: () => number;
  #closed = false;

  constructor({ root, dependencies, bounds }: AuditKeysOptions) {
    const { vault } = root;
    this.vault = vault;
    this.#root = root;
    this.#dependencies = dependencies;
    this.#now = bounds.now;
    const derived = (label: string): SecretBytes => new SecretBytes(derivedKey(root.key.bytes, label, vault));
    const hashOf = (label: string): KeyedHash => {
      using key = derived(label);
      return new KeyedHash(key.bytes);
    };
    this.#mac = hashOf(LABELS.mac);
    this.#address = hashOf(LABELS.address);
    this.#sign = derived(LABELS.sign);
    this.#statements = derived(LABELS.statements);
    this.#certificates = derived(LABELS.certificates);
    this.#own = derived(LABELS.own);
    this.#ownSealing = this.#newOwnSealing();
    this.#held = new AgedMap(bounds);
  }

  mac(text: Uint8Array): Uint8Array {
    return this.#mac.of(text);
  }

  verifies(text: Uint8Array, mac: Uint8Array): boolean {
    return this.#mac.verifies(text, mac);
  }

  tag(row: Address): AddressTag {
    // No collection has a slash.
    const place = `${row.collection}/${row.id}`;
    const known = this.#tags.get(place);
    if (known !== undefined) return known;
    if (this.#tags.size >= TAGS_HELD) this.#tags.clear();
    const tag = addressTag(this.#address, this.vault, row);
    this.#tags.set(place, tag);
    return tag;
  }

  signingSeed(): SecretBytes {
    return SecretBytes.copyOf(this.#sign.bytes);
  }

  statementSeed(): SecretBytes {
    return SecretBytes.copyOf(this.#statements.bytes);
  }

  certificateSeed(): SecretBytes {
    return SecretBytes.copyOf(this.#certificates.bytes);
  }

  partKeysAtHand(owners: readonly PartOwner[]): readonly PartKey[] | null {
    this.#requireOpen();
    const found: PartSealing[] = [];
    for (const owner of owners) {
      const key = this.#atHand(owner);
      if (key === null) return null;
      found.push(key);
    }
    return found;
  }

  async partKeys(owners: readonly PartOwner[]): Promise<readonly PartKey[]> {
    this.#requireOpen();
    const found = owners.map((owner) => this.#atHand(owner));
    const wanted = new Map<PartOwner, PartSealing | null>(owners.map((owner, index) => [owner, found[index] ?? null]));
    for (let attempt = 1; attempt <= MAKE_ATTEMPTS; attempt++) {
      const missing = [...wanted].flatMap(([owner, key]) => (key === null ? [owner as AuditKeyOwner] : []));
      if (missing.length === 0) return owners.flatMap((owner) => wanted.get(owner) ?? []);
      const keys = await Promise.all(this.#fetch(missing));
      this.#requireOpen();
      for (const [index, owner] of missing.entries()) {
        const key = keys[index] ?? null;
        if (key instanceof VaultError) throw key;
        wanted.set(owner, key);
      }
    }
    throw keySetMoved();
  }

  async versionsOf(owner: PartOwner): Promise<readonly string[]> {
    if (owner === "vault") return [OWN_VERSION];
    const name = nameOf(owner);
    const reads = await this.#dependencies.store.keys.versions(name);
    // By the version of somebody else's key that was put beside them, that person's entries would be found.
    return reads.flatMap((read) => {
      using key = this.#unwrapped(read, name);
      return key !== null && read.key !== null ? [read.key.version] : [];
    });
  }

  async openParts(parts: readonly PartOfEntry[]): Promise<readonly (SealedPart | null)[]> {
    const versions = [...new Set(parts.map(({ person }) => person.key))].filter((key) => key !== OWN_VERSION);
    const keys = new Map<string, SecretBytes>();
    try {
      for (let start = 0; start < versions.length; start += KEYS_AT_ONCE)
        await this.#open(versions.slice(start, start + KEYS_AT_ONCE) as KeyVersion[], keys);
      this.#requireOpen();
      return parts.map((part) => {
        const { key: version } = part.person;
        const key = version === OWN_VERSION ? this.#own : keys.get(version);
        return key === undefined ? null : openPart(key.bytes, { vault: this.vault, version }, part);
      });
    } finally {
      for (const key of keys.values()) key.wipe();
    }
  }

  make(owner: AuditKeyOwner, { epoch, generation }: MadeAt): FreshKey {
    this.#requireOpen();
    const columns = newColumns(this.#dependencies, { name: nameOf(owner), ordinal: 1, generation });
    const key = randomSecret(KEY_LENGTH);
    const wraps = [auditWrap(key, this.#root, columns)];
    const row = { ...columns, check: keyCheck(key, this.vault, columns), wraps, wrapSet: AUDIT_WRAP_SET };
    return { key, row, epoch };
  }

  made({ key, row: { owner, version } }: FreshKey): void {
    if (!this.#closed) this.#hold(owner as AuditKeyOwner, key, version, this.#now());
  }

  readAlong(owners: readonly AuditKeyOwner[]): void {
    if (this.#closed) return;
    this.#begin(owners.filter((owner) => this.#atHand(owner) === null && !this.#coming.has(owner)));
  }

  close(): void {
    this.#closed = true;
    this.#held.clear();
    this.#tags.clear();
    this.#mac.wipe();
    this.#address.wipe();
    this.#sign.wipe();
    this.#statements.wipe();
    this.#certificates.wipe();
    this.#own.wipe();
    this.#root.key.wipe();
  }

  #atHand(owner: PartOwner): PartSealing | null {
    if (owner === "vault") {
      if (this.#ownSealing.isSpent) this.#ownSealing = this.#newOwnSealing();
      return this.#ownSealing;
    }
    const held = this.#held.get(owner);
    return held === undefined || held.isSpent ? null : held;
  }

  #newOwnSealing(): PartSealing {
    return new PartSealing(this.#own.bytes, { vault: this.vault, version: OWN_VERSION });
  }

  /** A key each, as they come; null: somebody else made it at the same time, and it is to be read again. */
  #fetch(owners: readonly AuditKeyOwner[]): readonly Promise<Fetched>[] {
    this.#begin(owners.filter((owner) => !this.#coming.has(owner)));
    return owners.map((owner) => this.#coming.get(owner) ?? Promise.resolve(null));
  }

  /** Reads keys in as few calls as can be, and makes those that are missing. */
  #begin(owners: readonly AuditKeyOwner[]): void {
    for (let start = 0; start < owners.length; start += KEYS_AT_ONCE) {
      const some = owners.slice(start, start + KEYS_AT_ONCE);
      const all = this.#readOrMake(some);
      for (const [index, owner] of some.entries()) {
        const one = all.then((keys) => keys[index] ?? null);
        const done = (): void => {
          this.#coming.delete(owner);
        };
        this.#coming.set(owner, one);
        // Also where nobody waits: a failure is told to who asks for the key then.
        one.then(done, done);
      }
    }
  }

  async #readOrMake(owners: readonly AuditKeyOwner[]): Promise<readonly Fetched[]> {
    const { store, keySets } = this.#dependencies;
    const since = this.#now();
    await keySets.requireReader();
    const names = owners.map(nameOf);
    const reads = await store.keys.active(names);
    const keys = owners.map((owner, index) => this.#read(owner, reads[index] ?? NOTHING, since));
    const missing = owners.filter((_, index) => keys[index] === null);
    if (missing.length === 0) return keys;
    const made = await this.#makeAll(missing, since);
    return owners.map((owner, index) => keys[index] ?? made.get(owner) ?? null);
  }

  #read(owner: AuditKeyOwner, read: KeyRead, since: number): Fetched {
    if (read.key === null && read.damage === undefined) return null;
    using key = this.#unwrapped(read, nameOf(owner));
    if (key === null || read.key === null) return keyTampered("An audit key is not the one that it was made as");
    return this.#hold(owner, key, read.key.version, since);
  }

  async #makeAll(owners: readonly AuditKeyOwner[], since: number): Promise<Map<AuditKeyOwner, PartSealing>> {
    const { store, keySets } = this.#dependencies;
    const { epoch, generation } = await keySets.forWriting();
    const fresh = owners.map((owner) => this.make(owner, { epoch, generation }));
    const made = new Map<AuditKeyOwner, PartSealing>();
    try {
      const creations = fresh.map(({ row }) => ({ epoch, name: null, key: row }));
      const results = await createdOrLost(store.keys, creations);
      for (const [index, { key, row }] of fresh.entries()) {
        const result = results[index];
        const owner = row.owner as AuditKeyOwner;
        if (result?.kind === "gate-moved") keySets.moved();
        if (result?.kind === "made") made.set(owner, this.#hold(owner, key, row.version, since));
      }
    } finally {
      for (const { key } of fresh) key.wipe();
    }
    return made;
  }

  #hold(owner: AuditKeyOwner, key: SecretBytes, version: string, since: number): PartSealing {
    const sealing = new PartSealing(key.bytes, { vault: this.vault, version });
    if (!this.#closed) this.#held.set(owner, sealing, since);
    return sealing;
  }

  /** Opens keys of which only the versions are known. */
  async #open(versions: readonly KeyVersion[], keys: Map<string, SecretBytes>): Promise<void> {
    const { store } = this.#dependencies;
    const owners = await store.keys.owners(versions);
    const known = versions.flatMap((version, index) => {
      const name = owners[index] ?? null;
      return name?.kind === "audit" && name.owner !== VAULT_OWNER ? [{ version, name }] : [];
    });
    const active = await store.keys.active(known.map(({ name }) => name));
    for (const [index, { version, name }] of known.entries()) {
      const newest = active[index] ?? NOTHING;
      const read = newest.key?.version === version ? newest : await store.keys.version(name.owner, version);
      const key = this.#closed ? null : this.#unwrapped(read, name);
      if (key !== null) keys.set(version, key);
    }
  }

  /** The key of a row; null: there is none, or it is not sound. Whoever gets it wipes it. */
  #unwrapped(read: KeyRead, { kind, owner }: KeyName): SecretBytes | null {
    this.#requireOpen();
    try {
      const row = soundRow(read, { owner, kinds: [kind] });
      return row === null ? null : auditUnwrap(row, this.#root);
    } catch (error) {
      if (isVaultError(error)) return null;
      throw error;
    }
  }

  /** @throws VaultError `store-closed` */
  #requireOpen(): void {
    if (this.#closed) throw new VaultError("store-closed", "The vault was closed");
  }
}

/** What became of a key that was fetched. An error is one owner's, and fails nobody else. */
type Fetched = PartSealing | VaultError | null;

const NOTHING: KeyRead = { key: null };

const nameOf = (owner: AuditKeyOwner): KeyName => ({ kind: "audit", owner });
