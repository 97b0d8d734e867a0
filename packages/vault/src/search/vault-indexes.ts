/**
 * The indexes of a vault, as whoever runs it sees them: what is declared and what there is, and the work that brings
 * the one to the other beside live traffic.
 */
import type { Dependencies } from "../limits.ts";
import { parseCollection } from "../records/address.ts";
import type { Collection } from "../records/address.ts";
import { applyIndexes, dropIndex } from "./apply.ts";
import type { IndexesApplied } from "./apply.ts";
import { lookAtDocuments } from "./documents.ts";
import type { DocumentsLooked } from "./documents.ts";
import { requireBook } from "./index-book.ts";
import type { IndexBook } from "./index-book.ts";
import { isTooMuch, leakageOf } from "./leakage.ts";
import type { IndexLeakage } from "./leakage.ts";
import { indexLines } from "./plan-indexes.ts";
import type { IndexLine, IndexPlanLine } from "./plan-indexes.ts";

/** What a plan looks at. */
export interface IndexPlanOptions {
  /** Only this collection; left out: all. */
  readonly collection?: string;
  /** Whether every document is opened and held to its collection's schema. Left out: not. */
  readonly documents?: boolean;
  readonly signal?: AbortSignal;
}

/** What is declared beside what there is. */
export interface IndexPlan {
  readonly indexes: readonly IndexPlanLine[];
  /** Null: documents were not looked at. */
  readonly documents: DocumentsLooked | null;
}

/** How indexes are brought to what is declared. */
export interface IndexApplyOptions {
  readonly collection?: string;
  readonly signal?: AbortSignal;
  /** Told how many records were opened so far. */
  readonly onProgress?: (progress: { readonly collection: string; readonly records: number }) => void;
}

/** What indexes are asked and changed by. */
export interface VaultIndexes {
  /**
   * What there is, what is declared, what `apply` would do.
   *
   * @throws VaultError `collection-invalid`, `not-permitted`, `vault-option-invalid`; the stores'
   */
  plan(options?: IndexPlanOptions): Promise<IndexPlan>;
  /**
   * Builds what is declared and not there, drops what is there and not declared here, beside live traffic. It goes on
   * where another one was ended. Every process must declare the same before: one that does not writes nothing to the
   * collection from then on (`index-unknown`).
   *
   * @throws VaultError `collection-invalid`, `vault-option-invalid`, `record-contended`, `aborted`, what opening a key
   *   throws; the stores'
   */
  apply(options?: IndexApplyOptions): Promise<IndexesApplied>;
  /**
   * Makes another index key, builds every index anew under it, and drops those of before. Each is found by and unique
   * all the while.
   *
   * @throws VaultError as `apply` does
   */
  rotateKey(options?: Omit<IndexApplyOptions, "collection">): Promise<IndexesApplied>;
  /** Drops an index that is not declared here any more, or is to be built anew. @throws VaultError `find-invalid` */
  drop(collection: string, index: string): Promise<IndexesApplied>;
  /** What the tags of each index tell whoever has the database. @throws VaultError `collection-invalid`; the stores' */
  leakage(collection: string): Promise<readonly IndexLeakage[]>;
}

/** Has work done on behalf of a caller, who must be allowed to. */
export interface IndexAsking {
  /** Tells it in the audit. */
  readonly act: <Result>(
    what: string,
    collection: Collection | undefined,
    work: () => Promise<Result>,
  ) => Promise<Result>;
  /** What opens nothing. */
  readonly look: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** How the options of these calls are read. */
export interface IndexOptionReaders {
  readonly indexPlan: (given: unknown) => IndexPlanOptions;
  readonly indexApply: (given: unknown) => IndexApplyOptions;
  readonly indexRotation: (given: unknown) => Omit<IndexApplyOptions, "collection">;
}

/** `vault.indexes`: of a vault that finds by nothing, with nothing in it. */
export function vaultIndexes(
  dependencies: Dependencies,
  { act, look }: IndexAsking,
  read: IndexOptionReaders,
): VaultIndexes {
  const parsed = (collection: string | undefined): Collection | undefined =>
    collection === undefined ? undefined : parseCollection(collection);
  const applied = async (
    what: string,
    { collection, signal, onProgress }: IndexApplyOptions,
  ): Promise<IndexesApplied> => {
    const [only, book] = [parsed(collection), requireBook(dependencies)];
    return act(what, only, async () => {
      if (what === "rotate-key") await dependencies.subjectKeys?.indexKeys.next(signal);
      return applyIndexes({ ...dependencies, indexes: book }, { only, signal, onProgress });
    });
  };
  return {
    plan: async (options = {}) => {
      const { collection, documents = false, signal } = read.indexPlan(options);
      const only = parsed(collection);
      const { indexes: book } = dependencies;
      const lines = await look(async () => (book === null ? [] : indexLines(book, await book.list())));
      return {
        indexes: lines.filter((line) => only === undefined || line.collection === only).map(shownLine),
        documents: documents
          ? await act("look-at-documents", only, () => lookAtDocuments(dependencies, only, signal))
          : null,
      };
    },
    apply: async (options = {}) => applied("apply", read.indexApply(options)),
    rotateKey: async (options = {}) => applied("rotate-key", read.indexRotation(options)),
    drop: async (collection, index) => {
      const [only, book] = [parseCollection(collection), requireBook(dependencies)];
      return act("drop", only, () => dropIndex({ ...dependencies, indexes: book }, only, index));
    },
    leakage: async (collection) => {
      const [only, { indexes: book }] = [parseCollection(collection), dependencies];
      return book === null ? [] : act("leakage", only, () => leakageIn(book, only));
    },
  };
}

const shownLine = ({ collection, index, step, isUnique, fields }: IndexLine): IndexPlanLine => ({
  ...{ collection, index, step, isUnique, fields },
});

/** Of each index that is written. */
async function leakageIn(book: IndexBook, collection: Collection): Promise<readonly IndexLeakage[]> {
  const { open } = await book.openOf(collection, await book.list());
  const { fields, indexes } = book.options.declarations.of(collection);
  const all: IndexLeakage[] = [];
  for (const { row, definition } of open) {
    if (row.state !== "ready") continue;
    const paths = definition.fields.map(({ path }) => path);
    const told = leakageOf(await book.options.store.indexes.frequencies(row.id));
    const { leaks } = indexes.get(definition.name) ?? fields.get(paths[0] ?? "") ?? {};
    const isAccepted = leaks === "accepted";
    const { name: index } = definition;
    all.push({ collection, index, fields: paths, ...told, isAccepted, isTooMuch: isTooMuch(told, isAccepted) });
  }
  return all.sort((a, b) => (a.index < b.index ? -1 : 1));
}
