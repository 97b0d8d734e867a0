/**
 * Brings the indexes of a store to what is declared. Each change of which are written moves the gate's epoch, so that
 * all writers agree; an index is used once every record has its tags, and what it takes the place of goes in the same
 * change. Whatever was interrupted, the next one goes on with what it finds.
 */
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Collection } from "../records/address.ts";
import type { IndexId, IndexRow } from "../stores/indexes.ts";
import { build, MOST_TOLD } from "./build.ts";
import type { Duplicate, Unopened } from "./build.ts";
import type { IndexDefinition } from "./definitions.ts";
import type { IndexBook, IndexList } from "./index-book.ts";
import { indexLines } from "./plan-indexes.ts";
import type { IndexLine } from "./plan-indexes.ts";

/** What applying came to. */
export interface IndexesApplied {
  /** Indexes that are ready now and were not before, `COLLECTION/INDEX`. */
  readonly built: readonly string[];
  readonly dropped: readonly string[];
  /** Tags that were taken away. */
  readonly purged: number;
  /** Records that were opened. */
  readonly records: number;
  /** Records with one value of an index that is to be unique: it stays `building` until they have different ones. */
  readonly duplicates: readonly Duplicate[];
  /** Records that could not be opened, or have more values than a record is found by: no index has these. */
  readonly unopened: readonly Unopened[];
}

/** How it is done. */
export interface ApplyIndexesOptions {
  /** Undefined: all collections. */
  readonly only: Collection | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly collection: string; readonly records: number }) => void) | undefined;
}

/** With a place for tags. */
export type Indexing = Dependencies & { readonly indexes: IndexBook };

/** Tries of a change against other processes that change indexes or key sets. */
const ATTEMPTS = 32;

class Applied implements IndexesApplied {
  readonly built: string[] = [];
  readonly dropped: string[] = [];
  purged = 0;
  records = 0;
  readonly duplicates: Duplicate[] = [];
  readonly unopened: Unopened[] = [];
}

const nameOf = ({ collection, name }: Pick<IndexRow, "collection" | "name">): string => `${collection}/${name}`;

/** `vault.indexes.apply`. */
export async function applyIndexes(
  dependencies: Indexing,
  { only, signal, onProgress }: ApplyIndexesOptions,
): Promise<IndexesApplied> {
  const { indexes: book } = dependencies;
  const applied = new Applied();
  const isWanted = ({ collection }: { readonly collection: string }): boolean =>
    only === undefined || collection === only;
  // Where nothing was ever written, no key set is in force yet.
  await dependencies.keys.forWriting();
  if (book.options.declarations.all.some((one) => isWanted(one) && book.definitions(one.collection).length > 0))
    await book.newestVersion();
  await changed(dependencies, async (list) => {
    const lines = (await indexLines(book, list)).filter(isWanted);
    const missing = lines.flatMap(({ step, definition }) =>
      definition !== null && (step === "build" || step === "rekey") ? [definition] : [],
    );
    const added = missing.length === 0 ? [] : await book.newRows(missing, list);
    return [...added, ...dropping(lines, applied)];
  });
  const lines = (await indexLines(book, await book.list())).filter(isWanted);
  const building = Map.groupBy(
    lines.filter(({ step }) => step === "building"),
    ({ collection }) => collection as Collection,
  );
  // Whoever added them may have ended before those of before had: they store records without the tags until then.
  if (building.size > 0) await dependencies.store.gate.drained();
  for (const [collection, own] of building) {
    const ids = own.flatMap(({ row }) => row?.id ?? []);
    const ready = (some: readonly IndexId[]): Promise<void> => makeReady(dependencies, collection, some, applied);
    const found = await build(dependencies, collection, ids, ready, {
      signal,
      onRecords: (records) => {
        applied.records += records;
        onProgress?.({ collection, records: applied.records });
      },
    });
    for (const one of found?.duplicates ?? []) if (applied.duplicates.length < MOST_TOLD) applied.duplicates.push(one);
    for (const one of found?.unopened ?? []) if (applied.unopened.length < MOST_TOLD) applied.unopened.push(one);
  }
  await purgeAll(book, isWanted, applied);
  return applied;
}

/** `vault.indexes.drop`: all of that name, and of what is cut of it. @throws VaultError `find-invalid` */
export async function dropIndex(dependencies: Indexing, collection: Collection, name: string): Promise<IndexesApplied> {
  const applied = new Applied();
  const isIt = (row: IndexRow): boolean => row.collection === collection && row.name === name;
  await dependencies.keys.forWriting();
  await changed(dependencies, async ({ indexes }) => {
    if (!indexes.some(isIt)) throw new VaultError("find-invalid", "The collection has no index of that name");
    applied.dropped.length = 0;
    const open = indexes.filter((row) => isIt(row) && row.state !== "dropped");
    for (const row of open) applied.dropped.push(nameOf(row));
    return Promise.resolve(open.map((row): IndexRow => ({ ...row, state: "dropped" })));
  });
  await purgeAll(dependencies.indexes, ({ collection: of }) => of === collection, applied);
  return applied;
}

/** What has no place any more, to be dropped. */
function dropping(lines: readonly IndexLine[], applied: Applied): readonly IndexRow[] {
  const rows = lines.flatMap(({ step, row }) => (step === "drop" && row !== null ? [row] : []));
  applied.dropped.length = 0;
  for (const row of rows) applied.dropped.push(nameOf(row));
  return rows.map((row) => ({ ...row, state: "dropped" }));
}

/** Puts built indexes in use, and drops those of the same definitions under older keys, in one change. */
async function makeReady(
  dependencies: Indexing,
  collection: Collection,
  ids: readonly IndexId[],
  applied: Applied,
): Promise<void> {
  const { indexes: book } = dependencies;
  const [built, dropped]: [string[], string[]] = [[], []];
  await changed(dependencies, async (list) => {
    [built.length, dropped.length] = [0, 0];
    const { open } = await book.openOf(collection, list);
    const own = open.filter(({ row }) => ids.includes(row.id) && row.state === "building");
    const done = new Set<IndexDefinition>(own.map(({ definition }) => definition));
    const replaced = open.filter(({ row, definition }) => done.has(definition) && !ids.includes(row.id));
    for (const { row } of own) built.push(nameOf(row));
    for (const { row } of replaced) dropped.push(nameOf(row));
    return [
      ...own.map(({ row }): IndexRow => ({ ...row, state: "ready" })),
      ...replaced.map(({ row }): IndexRow => ({ ...row, state: "dropped" })),
    ];
  });
  for (const name of built.sort()) applied.built.push(name);
  for (const name of dropped.sort()) applied.dropped.push(name);
}

/** Makes a change of what there is by then, until nobody else has made one in between. */
async function changed(
  { indexes: book, keys }: Pick<Indexing, "indexes" | "keys">,
  change: (list: IndexList) => Promise<readonly IndexRow[]>,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const list = await book.list();
    const set = await change(list);
    const result = set.length === 0 ? "changed" : await book.options.store.indexes.change({ from: list.epoch, set });
    if (set.length > 0) keys.moved();
    if (result === "changed") return;
  }
  throw new VaultError("key-set-moved", "Other processes kept changing the indexes or the key set");
}

/** Takes away the tags of everything that was dropped, by whomever. */
async function purgeAll(book: IndexBook, isWanted: (row: IndexRow) => boolean, applied: Applied): Promise<void> {
  for (const row of (await book.list()).indexes)
    if (row.state === "dropped" && isWanted(row)) applied.purged += await book.purge(row.id);
}
