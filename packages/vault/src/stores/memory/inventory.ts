/**
 * The inventory of what is in memory, of records or of keys. It reads everything there is: enough for a test.
 */
import { createHash } from "node:crypto";
import { VaultError } from "../../errors.ts";
import { bucketOf } from "../bucket.ts";
import type { Epoch } from "../gate.ts";
import type { Inventory, InventoryItem, InventoryPage, RewrapResult, WrapSetCount } from "../inventory.ts";
import { BUCKETS } from "../inventory.ts";
import type { Lease } from "../jobs.ts";
import type { Stamp } from "../rows.ts";
import { parseWrapSet } from "../wrap-set.ts";
import type { WrapSetId } from "../wrap-set.ts";
import type { CommonTables, WrappedRow } from "./common-tables.ts";
import { isHeld } from "./jobs.ts";

/** The calls of the inventory, each done at once. */
export type InventoryCalls<Place, Change> = {
  readonly [Name in keyof Inventory<Place, Change>]: (
    ...args: Parameters<Inventory<Place, Change>[Name]>
  ) => Awaited<ReturnType<Inventory<Place, Change>[Name]>>;
};

/** What the inventory needs of a change, whatever it changes. */
export interface AnyChange<Place> {
  readonly place: Place;
  readonly seen: Stamp;
  readonly epoch: Epoch;
  readonly at: string;
  readonly lease: Lease | null;
}

/** Something that has wraps, as it is found. */
export interface Wrapped<Place> {
  readonly row: WrappedRow;
  readonly place: Place;
  readonly collection: string;
  readonly id: string;
  /** Orders what has the same address. */
  readonly version: string;
}

/** Where the inventory finds what has wraps. */
export interface WrappedRows<Place, Change, Row extends WrappedRow> {
  all(): Iterable<Wrapped<Place>>;
  /** False: it is gone, or `replace` gave nothing. */
  replace(place: Place, replace: (row: Row) => Row | null): boolean;
  /** The row with the new wraps. */
  rewrapped(row: Row, change: Change): Row;
}

export function memoryInventory<Place, Change extends AnyChange<Place>, Row extends WrappedRow>(
  tables: CommonTables,
  rows: WrappedRows<Place, Change, Row>,
  now: () => number,
): InventoryCalls<Place, Change> {
  function* having(sets: readonly WrapSetId[]): Generator<Wrapped<Place>> {
    const wanted = new Set(sets);
    for (const found of rows.all()) if (wanted.has(found.row.wrapSet)) yield found;
  }

  return {
    sets: () =>
      [...tables.wrapSets.values()]
        .map(({ id, form }) => ({ id, set: parseWrapSet(form) }))
        .sort((a, b) => a.id - b.id),
    counts: (sets, atMost) => sets.map((id) => count(id, having([id]), atMost)),
    any: (sets) => having(sets).next().done !== true,
    list: (page) => list(having(page.sets), page, now()),
    failed: ({ after, limit }) =>
      list(
        [...rows.all()].filter(({ row }) => row.failure !== null),
        { sets: [], after, limit },
        now(),
      ),
    rewrap: (change): RewrapResult => {
      const { epoch } = tables.gate;
      if (change.epoch !== epoch) return { kind: "gate-moved", epoch };
      if (change.lease !== null && !isHeld(tables, change.lease)) return { kind: "overtaken" };
      const { seen, at } = change;
      const made = rows.replace(change.place, (row) =>
        row.wrapSet !== seen.wrapSet || row.revision !== seen.revision
          ? null
          : { ...rows.rewrapped(row, change), since: at, failure: null },
      );
      return { kind: made ? "made" : "overtaken" };
    },
    fail: (lease, place, { code, at, waitMs }) => {
      if (!isHeld(tables, lease)) return;
      rows.replace(place, (row) => ({
        ...row,
        failure: { attempts: (row.failure?.attempts ?? 0) + 1, code, at, dueAt: now() + waitMs },
      }));
    },
  };
}

function count(id: WrapSetId, found: Iterable<Wrapped<unknown>>, atMost: number): WrapSetCount {
  let [items, oldest]: [number, string | null] = [0, null];
  for (const { row } of found) {
    items = Math.min(items + 1, atMost);
    if (oldest === null || row.since < oldest) oldest = row.since;
  }
  return { id, items, oldest };
}

/** By set, bucket, since, then by the hash of the address, which is short whatever the id is, and by version. */
type Position = readonly [set: number, bucket: number, since: string, address: string, version: string];

function list<Place>(
  having: Iterable<Wrapped<Place>>,
  page: InventoryPage,
  now: number,
): readonly InventoryItem<Place>[] {
  const { from, to } = page.buckets ?? { from: 0, to: BUCKETS };
  const after = page.after === null ? null : parsePosition(page.after);
  const items: (Wrapped<Place> & { readonly position: Position })[] = [];
  for (const found of having) {
    const { row } = found;
    const bucket = bucketOf(found);
    if (bucket < from || bucket >= to) continue;
    if (page.due === true && row.failure !== null && row.failure.dueAt > now) continue;
    const position: Position = [row.wrapSet, bucket, row.since, hashOf(found), found.version];
    if (after === null || compare(position, after) > 0) items.push({ ...found, position });
  }
  return items
    .sort((a, b) => compare(a.position, b.position))
    .slice(0, page.limit)
    .map(({ row: { wrapSet, since, failure }, place, collection, id, position }) => ({
      place,
      collection,
      id,
      wrapSet,
      since,
      failure: failure === null ? null : { attempts: failure.attempts, code: failure.code, at: failure.at },
      position: JSON.stringify(position),
    }));
}

const hashOf = ({ collection, id }: Wrapped<unknown>): string =>
  createHash("sha256").update(`${collection}/${id}`).digest("hex");

function compare(a: Position, b: Position): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? "";
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** @throws VaultError `cursor-invalid` */
function parsePosition(text: string): Position {
  try {
    const place: unknown = JSON.parse(text);
    if (Array.isArray(place) && place.map((value) => typeof value).join() === "number,number,string,string,string")
      return place as unknown as Position;
  } catch {
    // Told below.
  }
  throw new VaultError("cursor-invalid", "The position is not one that this inventory gave out");
}
