/**
 * Which collections are not in the scope that they declare, as far as that can be told without a message. Wrap sets
 * tell records in `record` scope from all others, and of few their collections; people's keys tell by their kind
 * whether there is anything in `subject` or in `tenant` scope at all. Which key a message hangs on only the message
 * knows.
 */
import { shown } from "@strongroom/base/shown";
import type { Inventory } from "../stores/inventory.ts";
import type { KeyRows } from "../stores/key-store.ts";
import type { RecordStore } from "../stores/store.ts";
import type { Scope } from "../stores/subjects.ts";
import type { Collection } from "../records/address.ts";
import type { WrapSetId } from "../stores/wrap-set.ts";
import type { SetCount } from "./converged-store.ts";
import { NO_MOVES } from "./forecast.ts";
import type { ForecastMoves } from "./forecast.ts";
import { isInner } from "./target.ts";
import type { ScopePlan, WrappedStore } from "./view.ts";

/** What is asked of the stores. */
export interface ScopeSources {
  readonly records: Pick<RecordStore, "collections">;
  readonly inventory: Pick<Inventory, "list">;
  readonly keys: Pick<KeyRows, "counts">;
  readonly scopeOf: (collection: Collection) => Scope;
}

/** So many versions are looked at one by one. More are found while a run goes. */
const MOST_LISTED = 20_000;
const PAGE = 1_000;

/** What is known of the items in both stores. */
interface Found {
  /** Versions in `record` scope, and on keys of the key store. */
  readonly record: readonly SetCount[];
  readonly inner: readonly SetCount[];
  /** People's keys. */
  readonly subjectKeys: number;
  readonly tenantKeys: number;
}

/** Those collections, and what moving their records takes as far as they were counted. */
export async function collectionsOffScope(
  sources: ScopeSources,
  counted: ReadonlyMap<WrappedStore, readonly SetCount[]>,
): Promise<{ readonly scopes: readonly ScopePlan[]; readonly moves: ForecastMoves }> {
  const versions = (counted.get("records") ?? []).filter(({ set }) => set !== null);
  if (versions.length === 0) return { scopes: [], moves: NO_MOVES };
  const { subject, "tenant-subject": tenant } = await sources.keys.counts();
  const found = {
    record: versions.filter(({ set }) => set !== null && !isInner(set)),
    inner: versions.filter(({ set }) => set !== null && isInner(set)),
    subjectKeys: subject,
    tenantKeys: tenant,
  };
  const collections = (await sources.records.collections()).map(({ name }) => name as Collection);
  const to = new Map(collections.map((collection) => [collection, sources.scopeOf(collection)]));
  const declared = new Set(to.values());
  const inRecord = await byCollection(sources.inventory, found.record, collections);
  const onKeys = declared.has("record") ? await byCollection(sources.inventory, found.inner, collections) : null;
  const scopes = [...to].flatMap(([collection, scope]): readonly ScopePlan[] => {
    const items = offScope({ collection, scope }, { found, declared, inRecord, onKeys });
    return items === 0 ? [] : [{ collection: shown(collection), to: scope, items }];
  });
  return { scopes, moves: movesOf({ found, declared, to, inRecord, onKeys }) };
}

/** Versions by collection. Null: there are too many to look at each. */
type ByCollection = ReadonlyMap<string, number> | null;

interface Told {
  readonly found: Found;
  readonly declared: ReadonlySet<Scope>;
  readonly inRecord: ByCollection;
  /** Null also where no collection declares `record`, and nobody asks. */
  readonly onKeys: ByCollection;
}

/** Versions of a collection that are in another scope; null: some may be. */
function offScope(
  { collection, scope }: { readonly collection: string; readonly scope: Scope },
  { found, declared, inRecord, onKeys }: Told,
): number | null {
  if (scope === "record") return ofCollection(onKeys, collection, itemsOf(found.inner));
  const fromRecord = ofCollection(inRecord, collection, itemsOf(found.record));
  const [own, other] =
    scope === "subject" ? (["subjectKeys", "tenantKeys"] as const) : (["tenantKeys", "subjectKeys"] as const);
  // Where both are declared the keys of the other kind may well be another collection's.
  const isElsewhere = found[other] > 0 && !(declared.has("subject") && declared.has("tenant") && found[own] > 0);
  return isElsewhere ? null : fromRecord;
}

function ofCollection(counts: ByCollection, collection: string, all: number): number | null {
  if (all === 0) return 0;
  return counts === null ? null : (counts.get(collection) ?? 0);
}

const itemsOf = (sets: readonly SetCount[]): number => sets.reduce((sum, { items }) => sum + items, 0);

/** Of a store with one collection the counts of the sets are the collection's. */
async function byCollection(
  inventory: ScopeSources["inventory"],
  sets: readonly SetCount[],
  collections: readonly string[],
): Promise<ByCollection> {
  const all = itemsOf(sets);
  if (all === 0 || collections.length === 1) return new Map(collections.map((name) => [name, all]));
  if (all > MOST_LISTED) return null;
  const counts = new Map<string, number>();
  const ids: readonly WrapSetId[] = sets.map(({ id }) => id);
  for (let [after, pages]: [string | null, number] = [null, 0]; pages <= MOST_LISTED / PAGE + 1; pages++) {
    const items = await inventory.list({ sets: ids, after, limit: PAGE });
    for (const { collection } of items) counts.set(collection, (counts.get(collection) ?? 0) + 1);
    const last = items.at(-1);
    if (last === undefined || items.length < PAGE) return counts;
    after = last.position;
  }
  return null;
}

function movesOf({
  found,
  declared,
  to,
  inRecord,
  onKeys,
}: Told & { readonly to: ReadonlyMap<string, Scope> }): ForecastMoves {
  const counted = (counts: ByCollection, isOff: (scope: Scope) => boolean): number =>
    [...(counts ?? [])].reduce((sum, [name, items]) => {
      const scope = to.get(name);
      return scope !== undefined && isOff(scope) ? sum + items : sum;
    }, 0);
  return {
    outOfRecord: counted(inRecord, (scope) => scope !== "record"),
    intoRecord: counted(onKeys, (scope) => scope === "record"),
    // Keys change their kind where no collection is left in the other scope.
    keysUnderTenants: declared.has("tenant") && !declared.has("subject") ? found.subjectKeys : 0,
    keysUnderRegions: declared.has("subject") && !declared.has("tenant") ? found.tenantKeys : 0,
  };
}
