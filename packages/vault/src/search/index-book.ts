/**
 * Which indexes are written now, as all writers agree: the list belongs to an epoch of the gate, and a unit that is
 * sealed at that epoch has tags of just these. Threat answered: two processes that declare different things of a
 * collection, one of which would store records that the other never finds, or the same unique value twice.
 */
import { definitionsOf, indexIdOf } from "./definitions.ts";
import type { IndexDefinition } from "./definitions.ts";
import { Tagger } from "./tagger.ts";
import type { OpenIndex } from "./tagger.ts";
import type { Declarations } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import { DEFAULT_TENANT, tenantOfRecord } from "../keys/key-binding.ts";
import type { KeySets, Sealing } from "../keys/key-sets.ts";
import type { SubjectKeys, Tenant } from "../keys/subject-keys.ts";
import type { Collection } from "../records/address.ts";
import type { JsonObject } from "../records/json.ts";
import type { Epoch } from "../stores/gate.ts";
import type { IndexId, IndexRow } from "../stores/indexes.ts";
import type { KeyVersion } from "../stores/key-store.ts";
import type { StoredMessage } from "../stores/rows.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { Store } from "../stores/store.ts";

/** What it works with. */
export interface IndexBookOptions {
  readonly store: Pick<Store, "records" | "gate" | "indexes">;
  readonly keys: KeySets;
  readonly subjectKeys: SubjectKeys;
  readonly declarations: Declarations;
}

/** What the store has of indexes, at an epoch. */
export interface IndexList {
  readonly epoch: Epoch;
  readonly indexes: readonly IndexRow[];
}

/** What is open of a collection, as far as this process knows how its tags are made. */
export interface OpenIndexes {
  readonly open: readonly OpenIndex[];
  /** Nothing that this process declares has such tags. */
  readonly unknown: readonly IndexRow[];
}

/** What a write is sealed with, and the indexes that its tags are of. */
export interface Agreed {
  readonly sealing: Sealing;
  readonly open: readonly OpenIndex[];
}

/** Tries against other processes that change indexes or key sets. */
const ATTEMPTS = 16;

/** Tags that are taken away at a time. */
const PURGED_AT_ONCE = 1_000;

export class IndexBook {
  readonly options: IndexBookOptions;
  #seen: IndexList | null = null;
  /** Of the index key, newest first. */
  #versions: readonly KeyVersion[] = [];
  /** Collections that have records: their indexes are built, and not ready by themselves. */
  readonly #filled = new Set<Collection>();
  readonly #making = new Map<Collection, Promise<boolean>>();

  constructor(options: IndexBookOptions) {
    this.options = options;
  }

  /**
   * What a write to the collection is sealed and tagged with. The first writer of a collection that has no records
   * makes its indexes ready.
   *
   * @throws VaultError `index-unknown`, `key-set-moved`, `key-set-unknown`; the stores'
   */
  async agreed(collection: Collection): Promise<Agreed> {
    const { keys } = this.options;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const sealing = await keys.forWriting();
      const list = this.#seen?.epoch === sealing.epoch ? this.#seen : await this.list();
      if (list.epoch === sealing.epoch) {
        const { open, unknown } = await this.openOf(collection, list);
        if (unknown.length > 0) throw indexUnknown();
        if (!(await this.#madeReady(collection, open))) return { sealing, open };
      }
      keys.moved();
    }
    throw new VaultError("key-set-moved", "Other processes kept changing the indexes or the key set");
  }

  /** What there is now, asked anew. */
  async list(): Promise<IndexList> {
    const list = await this.options.store.indexes.list();
    if (this.#seen === null || list.epoch >= this.#seen.epoch) this.#seen = list;
    return list;
  }

  /** What there was when it was asked last: whoever reads by it asks again afterwards. */
  async lastSeen(): Promise<IndexList> {
    return this.#seen ?? this.list();
  }

  /** Indexes of a collection that are written. @throws VaultError the key store's */
  async openOf(collection: Collection, { indexes }: IndexList): Promise<OpenIndexes> {
    const rows = indexes.filter((row) => row.collection === collection && row.state !== "dropped");
    if (rows.length === 0) return { open: [], unknown: [] };
    const found = this.#resolved(collection, rows);
    if (found.unknown.length === 0) return found;
    // Another process has made a version of the key perhaps.
    this.#versions = await this.options.subjectKeys.indexKeys.versions();
    return this.#resolved(collection, rows);
  }

  #resolved(collection: Collection, rows: readonly IndexRow[]): OpenIndexes {
    const ids = new Map<IndexId, Omit<OpenIndex, "row">>();
    for (const definition of this.definitions(collection))
      for (const version of this.#versions) ids.set(this.idOf(definition, version), { definition, version });
    const open: OpenIndex[] = [];
    const unknown: IndexRow[] = [];
    for (const row of rows) {
      const own = ids.get(row.id);
      if (own?.definition.isUnique !== row.isUnique) unknown.push(row);
      else open.push({ row, ...own });
    }
    return { open, unknown };
  }

  /** A version of the index key, asked anew where it is not known here; null: there is none of that name. */
  async versionNamed(name: string | undefined): Promise<KeyVersion | null> {
    const known = (): KeyVersion | null => this.#versions.find((version) => version === name) ?? null;
    if (known() === null) await this.newestKnown();
    return known();
  }

  definitions(collection: Collection): readonly IndexDefinition[] {
    return definitionsOf(this.options.declarations.of(collection));
  }

  idOf(definition: IndexDefinition, version: KeyVersion): IndexId {
    return indexIdOf(this.options.subjectKeys.vault, definition, version);
  }

  /** Makes tags of these indexes; whoever has it disposes of it. @throws VaultError as opening a key does */
  async tagger(open: readonly OpenIndex[], signal: AbortSignal | undefined): Promise<Tagger> {
    const { vault, indexKeys } = this.options.subjectKeys;
    const roots = new Map<KeyVersion, Awaited<ReturnType<typeof indexKeys.root>>>();
    try {
      for (const { version } of open)
        if (!roots.has(version)) roots.set(version, await indexKeys.root(version, signal));
    } catch (error) {
      for (const root of roots.values()) root.wipe();
      throw error;
    }
    return new Tagger(vault, open, roots);
  }

  /** The newest version of the index key; null: there is none yet. */
  async newestKnown(): Promise<KeyVersion | null> {
    this.#versions = await this.options.subjectKeys.indexKeys.versions();
    return this.#versions[0] ?? null;
  }

  /** The newest version of the index key; made when there never was one. @throws VaultError `key-store-behind` */
  async newestVersion(): Promise<KeyVersion> {
    const { subjectKeys, store } = this.options;
    const { indexKeys } = subjectKeys;
    let versions = await indexKeys.versions();
    if (versions.length === 0) {
      await indexKeys.first(async () => (await store.indexes.list()).indexes.length > 0);
      versions = await indexKeys.versions();
    }
    this.#versions = versions;
    const [newest] = versions;
    if (newest === undefined) throw new VaultError("key-store-behind", "The key of the indexes is not there");
    return newest;
  }

  /** The rows of these definitions, to be added; what was dropped of them before is taken away first. */
  async newRows(definitions: readonly IndexDefinition[], list: IndexList): Promise<readonly IndexRow[]> {
    const version = await this.newestVersion();
    const rows = definitions.map((definition): IndexRow => {
      const { collection, name, isUnique } = definition;
      return { id: this.idOf(definition, version), collection, name, isUnique, state: "building" };
    });
    for (const { id } of rows) if (list.indexes.some((row) => row.id === id)) await this.purge(id);
    return rows;
  }

  /** Takes away all tags of a dropped index, and its row. Answers how many tags there were. */
  async purge(id: IndexId): Promise<number> {
    let all = 0;
    for (;;) {
      const some = await this.options.store.indexes.purge(id, PURGED_AT_ONCE);
      if (some === 0) return all;
      all += some;
    }
  }

  /** That a record of the collection has a value that another one has. */
  taken(collection: Collection, id: IndexId): VaultError {
    const { open } = this.#resolved(
      collection,
      (this.#seen?.indexes ?? []).filter((row) => row.id === id),
    );
    const paths = open[0]?.definition.fields.map(({ path }) => path) ?? [];
    const told = paths.length === 0 ? "a field" : paths.join(", ");
    return new VaultError("value-taken", `Another record of ${collection} has that value of ${told}`, {
      problems: paths.map((field) => ({ field, kind: "taken" })),
    });
  }

  /** Whether indexes of the collection were changed, since it has no record. */
  async #madeReady(collection: Collection, open: readonly OpenIndex[]): Promise<boolean> {
    const definitions = this.definitions(collection);
    if (definitions.length === 0 || this.#filled.has(collection)) return false;
    if (definitions.every((one) => open.some(({ definition, row }) => definition === one && row.state === "ready")))
      return false;
    const making =
      this.#making.get(collection) ??
      this.#makeReady(collection).finally(() => {
        this.#making.delete(collection);
      });
    this.#making.set(collection, making);
    return making;
  }

  /**
   * First they are written by everybody, then it is looked whether there is a record: one that was stored before has no
   * tags, and none is stored after it without.
   */
  async #makeReady(collection: Collection): Promise<boolean> {
    const { store } = this.options;
    if (!(await this.#isEmpty(collection))) return false;
    let list = await this.list();
    const { open, unknown } = await this.openOf(collection, list);
    if (unknown.length > 0) throw indexUnknown();
    const missing = this.definitions(collection).filter((one) => !open.some(({ definition }) => definition === one));
    if (missing.length > 0) {
      const set = await this.newRows(missing, list);
      if ((await store.indexes.change({ from: list.epoch, set })) === "moved") return true;
      list = await this.list();
    }
    // Whoever added them may have ended before those of before had.
    await store.gate.drained();
    if (!(await this.#isEmpty(collection))) return true;
    const building = (await this.openOf(collection, list)).open.filter(({ row }) => row.state === "building");
    const set = building.map(({ row }): IndexRow => ({ ...row, state: "ready" }));
    if (set.length > 0) await store.indexes.change({ from: list.epoch, set });
    return true;
  }

  async #isEmpty(collection: Collection): Promise<boolean> {
    const found = await this.options.store.records.list(collection, { after: null, limit: 1 });
    const isEmpty = found === null || found.length === 0;
    if (!isEmpty) this.#filled.add(collection);
    return isEmpty;
  }
}

/** Whose person a stored version is about; null: it is about nobody, or says names and no ids. */
async function tenantOfPerson(
  { subjectKeys }: { readonly subjectKeys: Pick<SubjectKeys, "tenantOf"> | null },
  { scheme, subject }: Pick<StoredMessage, "scheme" | "subject">,
  signal: AbortSignal | undefined,
): Promise<Tenant | null> {
  if (subjectKeys === null) return null;
  // Names of the first scheme are of no tenant, and become people of the default one when they are written again.
  if (scheme === 1) return DEFAULT_TENANT;
  return isSubjectId(subject) ? subjectKeys.tenantOf(subject, signal) : null;
}

/** Whose record a stored version is, and this document of it. */
export async function tenantIn(
  dependencies: { readonly subjectKeys: Pick<SubjectKeys, "tenantOf"> | null; readonly declarations: Declarations },
  collection: Collection,
  { stored, document }: { readonly stored: Pick<StoredMessage, "scheme" | "subject">; readonly document: JsonObject },
  signal: AbortSignal | undefined,
): Promise<Tenant> {
  const ofPerson = await tenantOfPerson(dependencies, stored, signal);
  return tenantOfRecord(dependencies.declarations.of(collection), ofPerson, document);
}

/** The error for an index that this process does not declare. */
export const indexUnknown = (): VaultError =>
  new VaultError("index-unknown", "Records of the collection are found by an index that is not declared here");

/** @throws VaultError `find-invalid` */
export function requireBook({ indexes }: { readonly indexes: IndexBook | null }): IndexBook {
  if (indexes !== null) return indexes;
  throw new VaultError("find-invalid", "The vault has no key store, and finds by nothing");
}
