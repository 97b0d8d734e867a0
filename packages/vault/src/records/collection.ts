/**
 * One collection with documents of one type: what TypeScript can tell beforehand of what the vault refuses, and the
 * view that knows its collection's name and its documents' type.
 */
import type { AddressInput, Collection } from "./address.ts";
import type { PutManyResult } from "./batch-plan.ts";
import type { JsonObject, JsonValue } from "./document.ts";
import type { ListOptions, ListResult } from "./pages.ts";
import type { PreparedWrite } from "./prepared.ts";
import type { PutManyItem, PutManyOptions } from "./put-many.ts";
import type { GetOptions, VaultRecord, VersionInfo } from "./read.ts";
import type { PutOptions, PutResult, RemoveOptions, RemoveResult } from "./write.ts";
import type { FindExplanation, FindOptions, FindResult, FoundCount } from "../search/find.ts";
import type { FindQuery } from "../search/query.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function, whatever it takes
type AnyFunction = (...given: any) => unknown;

/** What the compiler shows where a document's type holds what JSON cannot hold. No value has it. */
export interface NotJson<Why extends string> {
  readonly notJson: Why;
}

/**
 * `T` itself when JSON can hold it; otherwise why not. NaN, and instances of classes without methods, only the vault
 * itself can refuse.
 */
export type StorableValue<T> = T extends JsonValue
  ? T
  : T extends undefined
    ? NotJson<"undefined: leave the key out, or use null">
    : T extends bigint
      ? NotJson<"a bigint: make it a string">
      : T extends symbol
        ? NotJson<"a symbol">
        : T extends AnyFunction
          ? NotJson<"a function">
          : T extends readonly unknown[]
            ? StorableMembers<T>
            : [keyof T] extends [never]
              ? NotJson<"unknown or object: say what is in it">
              : Extract<T[keyof T], AnyFunction> extends never
                ? StorableMembers<T>
                : NotJson<"an object with methods (a Date, a Map, an instance of a class): convert it first">;

/**
 * What an object or a list holds, each member a {@link StorableValue}. An interface fits: it needs no index signature.
 */
export type StorableMembers<T> = { [Key in keyof T]: StorableValue<T[Key]> };

/** A document of the caller's own type. */
export type Storable<T> = T extends readonly unknown[] ? NotJson<"a list: a document is one object"> : StorableValue<T>;

/** What a document that is not a list has not. */
export interface NotList {
  readonly [Symbol.iterator]?: never;
}

/**
 * A collection whose documents are of the type `Document`. The type is the caller's claim: what is stored is not
 * checked against it, neither when it is written nor when it is read. Otherwise each call is the vault's of the same
 * name.
 */
export interface TypedCollection<
  Document extends object = JsonObject,
  Input extends object = Document,
  Found extends string = string,
> {
  /** The collection's name. */
  readonly name: string;
  /** Writes a new version of a record. @throws VaultError as `vault.put` does */
  put(id: string, document: Input, options?: PutOptions): Promise<PutResult>;
  /** Prepares a write for `vault.withTransaction`. @throws VaultError as `vault.prepare` does */
  prepare(id: string, document: Input, options?: PutOptions): Promise<PreparedWrite>;
  /** Writes many records, in one transaction where the store can do that. @throws VaultError as `vault.putMany` does */
  putMany(items: readonly PutManyItem<Input>[], options: PutManyOptions): Promise<readonly PutManyResult[]>;
  /** Reads one version of a record. @throws VaultError as `vault.get` does */
  get(id: string, options?: GetOptions): Promise<VaultRecord<Document>>;
  /** All versions of a record, newest first, unopened. @throws VaultError `id-invalid`, `record-absent` */
  history(id: string): Promise<readonly VersionInfo[]>;
  /** Removes a record. @throws VaultError as `vault.remove` does */
  remove(id: string, options?: RemoveOptions): Promise<RemoveResult>;
  /** Ids by pages. @throws VaultError `collection-absent`, `cursor-invalid`, `limit-invalid` */
  list(options?: ListOptions): Promise<ListResult>;
  /** Records by fields that are declared with `find`. @throws VaultError as `vault.find` does */
  find(query: FindQuery<Found>, options?: FindOptions): Promise<FindResult<Document>>;
  /** How many records that may be. @throws VaultError as `vault.find` does */
  countFound(query: FindQuery<Found>, options?: Pick<FindOptions, "tenant" | "signal">): Promise<FoundCount>;
  /** By which indexes they are found. @throws VaultError as `vault.find` does */
  explainFind(query: FindQuery<Found>): Promise<FindExplanation>;
}

/** The vault's operations, which parse the addresses that they are given. */
export interface RecordOperations {
  put(address: AddressInput, document: JsonObject, options: PutOptions): Promise<PutResult>;
  putMany(
    collection: string,
    items: readonly PutManyItem[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]>;
  prepare(address: AddressInput, document: JsonObject, options: PutOptions): Promise<PreparedWrite>;
  get(address: AddressInput, options: GetOptions): Promise<VaultRecord>;
  history(address: AddressInput): Promise<readonly VersionInfo[]>;
  remove(address: AddressInput, options: RemoveOptions): Promise<RemoveResult>;
  list(collection: string, options: ListOptions): Promise<ListResult>;
  find(collection: string, query: FindQuery, options: FindOptions): Promise<FindResult>;
  countFound(
    collection: string,
    query: FindQuery,
    options: Pick<FindOptions, "tenant" | "signal">,
  ): Promise<FoundCount>;
  explainFind(collection: string, query: FindQuery): Promise<FindExplanation>;
}

/** The view of one collection over the vault's operations. */
export function typedCollection<Document extends object>(
  operations: RecordOperations,
  collection: Collection,
): TypedCollection<Document> {
  const at = (id: string): AddressInput => ({ collection, id });
  // From here on a document is what JSON makes of it; encodeDocument refuses what it cannot make anything of.
  return {
    name: collection,
    put: async (id, document, options = {}) => operations.put(at(id), document as JsonObject, options),
    prepare: async (id, document, options = {}) => operations.prepare(at(id), document as JsonObject, options),
    putMany: async (items, options) => operations.putMany(collection, items as readonly PutManyItem[], options),
    get: async (id, options = {}) => (await operations.get(at(id), options)) as VaultRecord<Document>,
    history: async (id) => operations.history(at(id)),
    remove: async (id, options = {}) => operations.remove(at(id), options),
    list: async (options = {}) => operations.list(collection, options),
    find: async (query, options = {}) => (await operations.find(collection, query, options)) as FindResult<Document>,
    countFound: async (query, options = {}) => operations.countFound(collection, query, options),
    explainFind: async (query) => operations.explainFind(collection, query),
  };
}
