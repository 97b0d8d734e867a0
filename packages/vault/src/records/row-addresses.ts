/**
 * Under which address a record lies in the store: its own, or, in a collection whose ids are sealed, a keyed hash in
 * the place of the id. Threat answered: a process that declares a collection otherwise than the others, which would
 * write ids in clear into a collection that hides them, or find none of its records.
 */
import type { Declarations } from "../collections/declaration.ts";
import { VaultError } from "../errors.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import type { ListedRecord } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import type { Address, Collection, RecordId } from "./address.ts";

/** What the rows' addresses hang on. */
export interface RowAddressOptions {
  readonly store: Pick<Store, "records">;
  readonly subjectKeys: Pick<SubjectKeys, "rowIds" | "openId"> | null;
  readonly declarations: Declarations;
}

/** The rows' addresses of one vault. */
export class RowAddresses {
  readonly #options: RowAddressOptions;
  /** Collections of which a record was seen, or written, that is of the declared kind. */
  readonly #known = new Set<Collection>();

  constructor(options: RowAddressOptions) {
    this.#options = options;
  }

  isSealed(collection: Collection): boolean {
    return this.#options.declarations.of(collection).ids === "sealed";
  }

  /** @throws VaultError `collection-differs`; what reading the names key throws */
  async of({ collection, id }: Address, signal?: AbortSignal): Promise<Address> {
    const [address] = await this.ofAll(collection, [id], signal);
    return address ?? { collection, id };
  }

  /** The same of many, in their order. */
  async ofAll(
    collection: Collection,
    ids: readonly RecordId[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Address[]> {
    const { subjectKeys } = this.#options;
    if (subjectKeys === null || ids.length === 0) return ids.map((id) => ({ collection, id }));
    await this.requireKind(collection);
    const rowIds = this.isSealed(collection) ? await subjectKeys.rowIds(collection, ids, signal) : ids;
    return rowIds.map((id) => ({ collection, id }));
  }

  /**
   * That a collection is declared as it is stored: one look at one of its records, once in this process.
   *
   * @throws VaultError `collection-differs`
   */
  async requireKind(collection: Collection): Promise<void> {
    if (this.#options.subjectKeys === null || this.#known.has(collection)) return;
    const found = await this.#options.store.records.list(collection, { after: null, limit: 1 });
    const [first] = found ?? [];
    if (first === undefined) return;
    if (!this.isDeclared(collection, first)) throw collectionDiffers();
    this.#known.add(collection);
  }

  /** Whether a row is of the kind that is declared. */
  isDeclared(collection: Collection, { sealedId }: Pick<ListedRecord, "sealedId">): boolean {
    return (sealedId !== null) === this.isSealed(collection);
  }

  /** The record's own id. @throws VaultError `collection-differs`, `record-tampered` and what opening a key throws */
  async ownId({ collection, id }: Address, sealedId: Uint8Array | null, signal?: AbortSignal): Promise<RecordId> {
    const { subjectKeys } = this.#options;
    if (subjectKeys === null) return id;
    if (!this.isDeclared(collection, { sealedId })) throw collectionDiffers();
    return sealedId === null ? id : subjectKeys.openId(sealedId, { collection, rowId: id }, signal);
  }

  /** A record of the declared kind was written. */
  wrote(collection: Collection): void {
    this.#known.add(collection);
  }
}

function collectionDiffers(): VaultError {
  return new VaultError(
    "collection-differs",
    "The ids of the collection are declared otherwise than its records were written: sealed and public do not mix",
  );
}
