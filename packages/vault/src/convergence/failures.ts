/**
 * What could not be brought to its key set, by pages: keys of the key store before versions of records, because a key
 * is the key of many versions. One cursor for both.
 */
import { shown } from "@strongroom/base/shown";
import { DEFAULT_LIST_LIMIT } from "../records/pages.ts";
import type { ListOptions } from "../records/pages.ts";
import { cursorInvalid, decodeCursor, encodeCursor, requirePageLimit } from "../records/paging.ts";
import type { Inventory, InventoryItem } from "../stores/inventory.ts";
import type { KeyPlace } from "../stores/key-store.ts";
import type { VersionPlace } from "../stores/rows.ts";
import type { ConvergenceFailure, FailurePage, WrappedStore } from "./view.ts";

/** What is listed. */
export interface FailureSources {
  /** Null: the vault has no key store. */
  readonly keys: FailedInventory<KeyPlace> | null;
  readonly records: FailedInventory<VersionPlace>;
}

type FailedInventory<Place> = Pick<Inventory<Place>, "failed">;

/** An item whose row holds what no vault writes has no place by which to name it: those are what `verify` finds. */
interface Row {
  readonly store: WrappedStore;
  readonly position: string;
  readonly failure: ConvergenceFailure | null;
}

/**
 * `vault.convergence.failures`.
 *
 * @throws VaultError `limit-invalid`, `cursor-invalid`; the stores'
 */
export async function convergenceFailures(
  { keys, records }: FailureSources,
  { cursor, limit = DEFAULT_LIST_LIMIT, listItems }: ListOptions & { readonly listItems: number },
): Promise<FailurePage> {
  requirePageLimit(limit, listItems);
  const from = cursor === undefined ? { store: "keys", after: null } : parseCursor(cursor);
  const ofKeys =
    from.store === "keys" && keys !== null ? await rowsOf("keys", keys, { after: from.after, limit: limit + 1 }) : [];
  const more = limit + 1 - ofKeys.length;
  const after = from.store === "records" ? from.after : null;
  const ofRecords = more === 0 ? [] : await rowsOf("records", records, { after, limit: more });
  const found = [...ofKeys, ...ofRecords];
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    failures: rows.flatMap(({ failure }) => failure ?? []),
    next: found.length > limit && last !== undefined ? encodeCursor([FORMAT, last.store, last.position]) : null,
  };
}

async function rowsOf<Place extends ConvergenceFailure["place"]>(
  store: WrappedStore,
  inventory: FailedInventory<Place>,
  page: { readonly after: string | null; readonly limit: number },
): Promise<readonly Row[]> {
  const items = await inventory.failed(page);
  return items.map((item) => ({ store, position: item.position, failure: failureOf(store, item) }));
}

function failureOf<Place extends ConvergenceFailure["place"]>(
  store: WrappedStore,
  { place, failure }: InventoryItem<Place>,
): ConvergenceFailure | null {
  if (place === null || failure === null) return null;
  const { code, attempts, at } = failure;
  return { store, place, code: shown(code), attempts, at: shown(at) };
}

/** What a cursor begins with, so that another list's is not taken for one of this. */
const FORMAT = "failure-1";

/** Of a position in a store's inventory, in characters. */
const MAX_POSITION_LENGTH = 2048;

/** @throws VaultError `cursor-invalid` */
function parseCursor(cursor: string): { readonly store: string; readonly after: string | null } {
  const [format, store, after, ...rest] = decodeCursor(cursor);
  if (format !== FORMAT || after === undefined || rest.length > 0) throw cursorInvalid();
  if ((store !== "keys" && store !== "records") || after.length > MAX_POSITION_LENGTH) throw cursorInvalid();
  return { store, after };
}

/** Failures that are counted: who has more looks at them one by one. */
const MOST_COUNTED = 1_000;

/** How many items there are whose last try failed, up to a thousand in each store. */
export async function countFailed(inventories: readonly Pick<Inventory<unknown>, "failed">[]): Promise<number> {
  const found = await Promise.all(
    inventories.map((inventory) => inventory.failed({ after: null, limit: MOST_COUNTED })),
  );
  return found.reduce((sum, items) => sum + items.length, 0);
}
