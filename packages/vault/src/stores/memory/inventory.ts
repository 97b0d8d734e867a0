/**
 * The inventory of what is in memory. It reads every version there is: enough for the records of a test.
 */
import { createHash } from "node:crypto";
import { VaultError } from "../../errors.ts";
import { bucketOf } from "../bucket.ts";
import type { Inventory, InventoryItem, InventoryPage, Rewrap, RewrapResult, WrapSetCount } from "../inventory.ts";
import { BUCKETS } from "../inventory.ts";
import { parseWrapSet } from "../wrap-set.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { isHeld } from "./jobs.ts";
import { countWraps, Draft, internWrapSet, recordKey } from "./tables.ts";
import type { MemoryTables, RecordRow, Tables, VersionRow } from "./tables.ts";

/** The calls of the inventory, each done at once. */
export type InventoryCalls = {
  readonly [Name in keyof Inventory]: (...args: Parameters<Inventory[Name]>) => Awaited<ReturnType<Inventory[Name]>>;
};

export function memoryInventory(tables: MemoryTables, now: () => number): InventoryCalls {
  return {
    sets: () =>
      [...tables.wrapSets.values()]
        .map(({ id, form }) => ({ id, set: parseWrapSet(form) }))
        .sort((a, b) => a.id - b.id),
    counts: (sets, atMost) => sets.map((id) => count(tables, id, atMost)),
    any: (sets) => versionsOf(tables, sets).next().done !== true,
    list: (page) => list(tables, page, now()),
    rewrap: (change) => rewrap(tables, change),
    fail: (lease, place, { code, at, waitMs }) => {
      if (!isHeld(tables, lease)) return;
      replaceVersion(tables, place, (row) => ({
        ...row,
        failure: { attempts: (row.failure?.attempts ?? 0) + 1, code, at, dueAt: now() + waitMs },
      }));
    },
  };
}

interface Found {
  readonly record: RecordRow;
  readonly row: VersionRow;
}

function* versionsOf({ records }: MemoryTables, sets: readonly WrapSetId[]): Generator<Found> {
  const wanted = new Set(sets);
  for (const record of records.values())
    for (const row of record.versions) if (wanted.has(row.wrapSet)) yield { record, row };
}

function count(tables: MemoryTables, id: WrapSetId, atMost: number): WrapSetCount {
  let [items, oldest]: [number, string | null] = [0, null];
  for (const { row } of versionsOf(tables, [id])) {
    items = Math.min(items + 1, atMost);
    if (oldest === null || row.since < oldest) oldest = row.since;
  }
  return { id, items, oldest };
}

/** By set, bucket, since, then by the hash of the address, which is short whatever the id is, and by version. */
type Place = readonly [set: number, bucket: number, since: string, address: string, version: number];

function list(tables: MemoryTables, page: InventoryPage, now: number): readonly InventoryItem[] {
  const { from, to } = page.buckets ?? { from: 0, to: BUCKETS };
  const after = page.after === null ? null : parsePosition(page.after);
  const found: (Found & { readonly place: Place })[] = [];
  for (const { record, row } of versionsOf(tables, page.sets)) {
    const bucket = bucketOf(record.address);
    if (bucket < from || bucket >= to) continue;
    if (page.due === true && row.failure !== null && row.failure.dueAt > now) continue;
    const place: Place = [row.wrapSet, bucket, row.since, hashOf(record), row.version];
    if (after === null || compare(place, after) > 0) found.push({ record, row, place });
  }
  return found
    .sort((a, b) => compare(a.place, b.place))
    .slice(0, page.limit)
    .map(({ record, row, place }) => ({
      place: { ...record.address, version: row.version },
      collection: record.address.collection,
      id: record.address.id,
      wrapSet: row.wrapSet,
      since: row.since,
      failure:
        row.failure === null ? null : { attempts: row.failure.attempts, code: row.failure.code, at: row.failure.at },
      position: JSON.stringify(place),
    }));
}

const hashOf = ({ address }: RecordRow): string => createHash("sha256").update(recordKey(address)).digest("hex");

function compare(a: Place, b: Place): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? "";
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** @throws VaultError `cursor-invalid` */
function parsePosition(text: string): Place {
  try {
    const place: unknown = JSON.parse(text);
    if (Array.isArray(place) && place.map((value) => typeof value).join() === "number,number,string,string,number")
      return place as unknown as Place;
  } catch {
    // Told below.
  }
  throw new VaultError("cursor-invalid", "The position is not one that this inventory gave out");
}

function rewrap(tables: MemoryTables, change: Rewrap): RewrapResult {
  const { epoch } = tables.gate;
  if (change.epoch !== epoch) return { kind: "gate-moved", epoch };
  if (change.lease !== null && !isHeld(tables, change.lease)) return { kind: "overtaken" };
  const draft = new Draft(tables);
  const { seen, wrapSet, message, at } = change;
  const made = replaceVersion(draft, change.place, (row) =>
    row.wrapSet !== seen.wrapSet || row.revision !== seen.revision
      ? null
      : {
          ...row,
          message: message === null ? row.message : (message as Buffer),
          revision: message === null ? row.revision : row.revision + 1,
          wraps: countWraps(wrapSet),
          wrapSet: internWrapSet(draft, wrapSet),
          since: at,
          failure: null,
        },
  );
  if (!made) return { kind: "overtaken" };
  draft.commit();
  return { kind: "made" };
}

/** False: the version is gone, or not replaced. */
function replaceVersion(
  { records }: Pick<Tables, "records">,
  place: Rewrap["place"],
  replace: (row: VersionRow) => VersionRow | null,
): boolean {
  const record = records.get(recordKey(place));
  const index = record?.versions.findIndex(({ version }) => version === place.version) ?? -1;
  if (record === undefined || index < 0) return false;
  const before = record.versions[index];
  const row = before === undefined ? null : replace(before);
  if (row === null) return false;
  records.set(recordKey(place), { ...record, versions: record.versions.with(index, row) });
  return true;
}
