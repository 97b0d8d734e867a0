/**
 * Who people are: the opaque id behind a name, and the name behind an id. The key store has a keyed hash of each name,
 * to find it by, and the name sealed. Whoever writes to the database can point a hash at somebody else, so an id is
 * believed only when its sealed name is the one that was asked for. Or take somebody's hash away, so that whoever is
 * restricted by that name is somebody new: a sealed name is believed only beside its own hash.
 */
import { randomUUID, timingSafeEqual } from "node:crypto";
import { keyedHash } from "@strongroom/envelope/keyrings";
import { VaultError } from "../errors.ts";
import type { SecretBytes } from "@strongroom/envelope/keyrings";
import type { Subject } from "../records/address.ts";
import type { NameRow } from "../stores/key-store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { AgedMap } from "./aged-map.ts";
import type { AgedMapOptions } from "./aged-map.ts";
import type { Epoch } from "../stores/gate.ts";
import { isTenant, keyTampered } from "./key-binding.ts";
import { lp } from "./length-prefixed.ts";
import { LookupKeyring } from "./lookup-keys.ts";
import type { LookupKeys } from "./lookup-keys.ts";
import { mapKeys } from "./many-keys.ts";
import { openText, sealText, textHeader } from "./sealed-text.ts";
import type { TextKey, TextOwner, TextPlace } from "./sealed-text.ts";
import type { Tenant } from "./subject-keys.ts";
import type { OpenedKey } from "./opened-key.ts";
import { keySetMoved } from "./key-maker.ts";
import type { VaultKeys } from "./vault-keys.ts";

/** A person, as callers say them. */
export interface Named {
  readonly tenant: Tenant;
  readonly name: Subject;
}

/**
 * Somebody whom a name means, and who is found, or new: then with the hash of the name, and at which epoch it may be
 * stored. Null: nobody may be made here.
 */
export type Found =
  | { readonly id: SubjectId; readonly isNew: false }
  | { readonly id: SubjectId; readonly isNew: true; readonly tag: Uint8Array; readonly epoch: Epoch | null };

const TAG_LABEL = "strongroom/subject/1";
/** Between tenant and name in what is sealed; neither has it. */
const SEPARATOR = "\0";

/** Names and ids of people, over the keys of a vault. */
export class People {
  readonly #keys: VaultKeys;
  readonly #ids: AgedMap<SubjectId>;
  readonly #named: AgedMap<Named>;
  readonly #lookups: LookupKeyring;

  constructor(keys: VaultKeys, bounds: AgedMapOptions) {
    this.#keys = keys;
    this.#lookups = new LookupKeyring(keys);
    this.#ids = new AgedMap(bounds);
    this.#named = new AgedMap(bounds);
  }

  /** Who that is, as far as it is known without asking. */
  known(named: Named): SubjectId | null {
    return this.#ids.get(textOf(named)) ?? null;
  }

  knownById(id: SubjectId): Named | null {
    return this.#named.get(id) ?? null;
  }

  /** Notes who that is: made just now, or opened. */
  learn(id: SubjectId, named: Named): void {
    this.#ids.set(textOf(named), id);
    this.#named.set(id, named);
  }

  forget(id: SubjectId): void {
    const named = this.#named.get(id);
    if (named !== undefined) this.#ids.delete(textOf(named));
    this.#named.delete(id);
  }

  clear(): void {
    this.#ids.clear();
    this.#named.clear();
  }

  /**
   * Whose hashes these names have, in their order, from the key store in one call; somebody new where nobody has one.
   * That an id is the right one is not said yet: {@link People.open} says it.
   */
  async find(wanted: readonly Named[], signal: AbortSignal | undefined): Promise<readonly Found[]> {
    if (wanted.length === 0) return [];
    const { store } = this.#keys.dependencies;
    using lookup = await this.#lookups.open(signal);
    const { epoch } = lookup;
    const tags = wanted.map((named) => this.#tagsOf(named, lookup));
    const each = 1 + lookup.earlier.length;
    // In one call: who is given another hash meanwhile is found by the one or the other.
    const ids = await store.keys.resolve(tags.flat());
    return wanted.map((_, index) => {
      const id = ids.slice(index * each, (index + 1) * each).find((found) => found !== null) ?? null;
      const [tag = EMPTY] = tags[index] ?? [];
      if (id === null) return { id: randomUUID() as string as SubjectId, isNew: true, tag, epoch };
      if (!isSubjectId(id)) throw keyTampered("The key store has somebody under what is no id");
      return { id, isNew: false };
    });
  }

  /** Ids of people by names; null: nobody has it. */
  async resolve(wanted: readonly Named[], signal: AbortSignal | undefined): Promise<readonly (SubjectId | null)[]> {
    const asked = wanted.filter((named) => this.known(named) === null);
    const found = await this.find(asked, signal);
    const pairs = asked.flatMap((named, index) => {
      const { id, isNew } = found[index] ?? NOBODY;
      return isNew ? [] : [{ id, named }];
    });
    const names = await this.names(
      pairs.map(({ id }) => id),
      signal,
    );
    const ids = new Map(wanted.map((named) => [textOf(named), this.known(named)]));
    for (const [index, { id, named }] of pairs.entries()) {
      requireSame(names[index], named);
      ids.set(textOf(named), id);
    }
    return wanted.map((named) => ids.get(textOf(named)) ?? null);
  }

  /** Names of people, in their order; what is wrong with one stands in its place. */
  async names(
    ids: readonly SubjectId[],
    signal: AbortSignal | undefined,
    atHand: (id: SubjectId) => OpenedKey | null = () => null,
  ): Promise<readonly (Named | VaultError)[]> {
    const opened = new Map<SubjectId, Named | VaultError>();
    const unknown = [...new Set(ids)].filter((id) => this.knownById(id) === null);
    if (unknown.length > 0) {
      const rows = await this.#keys.dependencies.store.keys.names(unknown);
      using lookup = await this.#lookups.open(signal);
      await mapKeys(unknown, signal, async (id, index) => {
        opened.set(id, await itsOwn(() => this.#open(id, rows[index] ?? null, lookup, signal, atHand(id))));
      });
    }
    return ids.map((id) => opened.get(id) ?? this.knownById(id) ?? nameAbsent());
  }

  /** That somebody's name opens where it lies. @throws VaultError what is wrong with it, or with everything */
  async prove(id: SubjectId, signal: AbortSignal | undefined): Promise<void> {
    const [row = null] = await this.#keys.dependencies.store.keys.names([id]);
    using lookup = await this.#lookups.open(signal);
    await this.#open(id, row, lookup, signal, null);
  }

  /**
   * Puts the name of somebody under the hash of the shredding generation in force. Done when it is there.
   *
   * @returns false: it was changed meanwhile, and is to be looked at again
   * @throws VaultError as proving does
   */
  async retag(id: SubjectId, signal: AbortSignal | undefined): Promise<boolean> {
    const { store, keySets } = this.#keys.dependencies;
    const [row = null] = await store.keys.names([id]);
    // Erased meanwhile, or without a name.
    if (row === null) return true;
    using lookup = await this.#lookups.open(signal);
    if (lookup.epoch === null) throw keySetMoved();
    const named = await this.#open(id, row, lookup, signal, null);
    const tag = this.#tagOf(named, lookup.now);
    if (timingSafeEqual(row.tag, tag)) return true;
    const result = await store.keys.retag({ id, seen: row.tag, tag, epoch: lookup.epoch });
    if (result.kind === "gate-moved") keySets.moved();
    return result.kind === "made";
  }

  /** The row of somebody who is made. */
  row(
    { id, named, tag }: { readonly id: SubjectId; readonly named: Named; readonly tag: Uint8Array },
    owner: TextOwner,
    key: TextKey,
  ): NameRow {
    return { id, tag, sealed: sealText(textOf(named), owner, key, this.#place(id)) };
  }

  async #open(
    id: SubjectId,
    row: NameRow | null,
    lookup: LookupKeys,
    signal: AbortSignal | undefined,
    atHand: OpenedKey | null,
  ): Promise<Named> {
    if (row === null) {
      await this.#keys.requireNotErased(id);
      throw nameAbsent();
    }
    const header = row.id === id ? textHeader(row.sealed) : null;
    const isOwn = header?.kind === "vault" || (header?.kind === "person" && header.ownerId === id);
    if (header === null || !isOwn) throw keyTampered("The sealed name of a person is none, or somebody else's");
    const text = await this.#openWith(id, row.sealed, header, signal, atHand);
    const [tenant, name, ...more] = text?.split(SEPARATOR) ?? [];
    if (!isTenant(tenant) || name === undefined || more.length > 0)
      throw keyTampered("The sealed name of a person does not open");
    const named = { tenant, name: name as Subject };
    const { tag } = row;
    if (!this.#tagsOf(named, lookup).some((own) => tag.length === own.length && timingSafeEqual(tag, own)))
      throw keyTampered("The name of a person lies under another name's hash");
    this.learn(id, named);
    return named;
  }

  /** By which somebody is found, or was before the generation in force. */
  #tagsOf(named: Named, { now, earlier }: LookupKeys): readonly Buffer[] {
    return [now, ...earlier].map((key) => this.#tagOf(named, key));
  }

  /** By which somebody is found. */
  #tagOf({ tenant, name }: Named, lookup: SecretBytes): Buffer {
    return keyedHash(lookup, lp([TAG_LABEL, this.#keys.dependencies.vault, tenant, name]));
  }

  async #openWith(
    id: SubjectId,
    sealed: Uint8Array,
    { kind, version }: { readonly kind: TextOwner["kind"]; readonly version: string },
    signal: AbortSignal | undefined,
    atHand: OpenedKey | null,
  ): Promise<string | null> {
    const place = this.#place(id);
    if (kind === "vault") {
      const name = { kind: "names", owner: "vault" } as const;
      using key = (await this.#keys.version(name, version, signal)).key;
      return openText(sealed, { kind, owner: "vault" }, { version, key }, place);
    }
    const owner = { kind: "person", owner: id } as const;
    if (atHand?.version === version) return openText(sealed, owner, atHand, place);
    using key = (await this.#keys.version({ kind: "subject", owner: id }, version, signal)).key;
    return openText(sealed, owner, { version, key }, place);
  }

  #place(id: SubjectId): TextPlace {
    return { label: "strongroom/name/1", vault: this.#keys.dependencies.vault, place: [id] };
  }
}

const EMPTY = new Uint8Array();
const NOBODY = { id: "" as SubjectId, isNew: true } as const;

/**
 * What somebody is called, who was asked for by that name; null: by the id.
 *
 * @throws VaultError what stands in the name's place; `subject-key-tampered` when a name leads to somebody else
 */
export function requireSame(found: Named | VaultError | undefined, asked: Named | null): Named {
  if (found instanceof VaultError) throw found;
  if (found !== undefined && (asked === null || textOf(found) === textOf(asked))) return found;
  throw keyTampered("The key store gives a name's hash to somebody else");
}

/** What is wrong with one person or key, and with no other; what is thrown else fails all. */
export async function itsOwn<Result>(work: () => Promise<Result>): Promise<Result | VaultError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VaultError && ITS_OWN.has(error.code)) return error;
    throw error;
  }
}

const ITS_OWN: ReadonlySet<VaultError["code"]> = new Set<VaultError["code"]>([
  "subject-key-tampered",
  "subject-key-absent",
  "subject-name-absent",
  "subject-erased",
  "tenant-invalid",
  "key-not-configured",
]);

/** One text for one person: a tenant has no such separator. */
export function textOf({ tenant, name }: Named): string {
  return `${tenant}${SEPARATOR}${name}`;
}

function nameAbsent(): VaultError {
  return new VaultError("subject-name-absent", "The key store has no name of the person");
}
