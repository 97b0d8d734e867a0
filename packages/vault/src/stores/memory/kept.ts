/**
 * Kept messages of what is in memory. Each lies in its version's row, with which it goes.
 */
import { createHash } from "node:crypto";
import { VaultError } from "../../errors.ts";
import { bucketOf } from "../bucket.ts";
import { BUCKETS } from "../inventory.ts";
import type { RewrapResult } from "../inventory.ts";
import { takeDrop, takeRestore } from "../kept-limits.ts";
import type { Restore } from "../kept-limits.ts";
import type { KeptItem, KeptMessages } from "../kept.ts";
import type { VersionPlace } from "../rows.ts";
import { parseWrapSet } from "../wrap-set.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { countWraps } from "./common-tables.ts";
import { isHeld } from "./jobs.ts";
import type { Opened } from "./opened.ts";
import { recordKey } from "./tables.ts";
import type { KeptRow, MemoryTables, VersionRow } from "./tables.ts";
import { wrappedVersions } from "./wrapped-versions.ts";

/** A kept message as it is found. */
interface Found {
  readonly place: VersionPlace;
  readonly kept: KeptRow;
}

export function memoryKept(opened: Opened<MemoryTables>): KeptMessages {
  const { tables } = opened;
  return {
    counts: (atMost) => opened.read(() => counts(tables, atMost)),
    any: (sets) =>
      opened.read(() => {
        for (const { kept } of all(tables)) if (sets.includes(kept.wrapSet)) return true;
        return false;
      }),
    list: (page) => opened.read(() => list(tables, page)),
    read: (place) =>
      opened.read(() => {
        const { message, wrapSet } = rowOf(tables, place)?.kept ?? {};
        return message === undefined || wrapSet === undefined ? null : { message: Buffer.from(message), wrapSet };
      }),
    restore: async (change) => opened.change(takeRestore(change), (own) => restore(tables, own)),
    drop: async (items, lease) =>
      opened.change(takeDrop({ items, lease }), (own) => {
        if (own.lease !== null && !isHeld(tables, own.lease)) return;
        for (const item of own.items) {
          const place = "position" in item ? placeAt(tables, item.position) : item;
          if (place !== undefined) wrappedVersions(tables).replace(place, (row) => ({ ...row, kept: null }));
        }
      }),
  };
}

function* all({ records }: MemoryTables): Generator<Found> {
  for (const { address, versions } of records.values())
    for (const { version, kept } of versions) if (kept !== null) yield { place: { ...address, version }, kept };
}

function rowOf({ records }: MemoryTables, place: VersionPlace): VersionRow | undefined {
  return records.get(recordKey(place))?.versions.find(({ version }) => version === place.version);
}

function counts(tables: MemoryTables, atMost: number): { readonly id: WrapSetId; readonly items: number }[] {
  const found = new Map<WrapSetId, number>();
  for (const { kept } of all(tables)) found.set(kept.wrapSet, Math.min((found.get(kept.wrapSet) ?? 0) + 1, atMost));
  return [...found].sort(([a], [b]) => a - b).map(([id, items]) => ({ id, items }));
}

function restore(tables: MemoryTables, { place, seen, epoch, at, lease }: Restore): RewrapResult {
  if (epoch !== tables.gate.epoch) return { kind: "gate-moved", epoch: tables.gate.epoch };
  if (lease !== null && !isHeld(tables, lease)) return { kind: "overtaken" };
  const made = wrappedVersions(tables).replace(place, (row) => {
    const { kept, wrapSet, revision } = row;
    if (kept === null || wrapSet !== seen.wrapSet || revision !== seen.revision) return null;
    const form = [...tables.wrapSets.values()].find(({ id }) => id === kept.wrapSet)?.form;
    const set = form === undefined ? null : parseWrapSet(form);
    const wraps = set === null ? row.wraps : countWraps(set);
    return { ...row, ...kept, wraps, kept: null, since: at, revision: revision + 1, failure: null };
  });
  return { kind: made ? "made" : "overtaken" };
}

/** By bucket, then by the hash of the address, which is short whatever the id is, and by version. */
type Position = readonly [bucket: number, address: string, version: number];

function list(tables: MemoryTables, { buckets, after, limit }: Parameters<KeptMessages["list"]>[0]): KeptItem[] {
  const { from, to } = buckets ?? { from: 0, to: BUCKETS };
  const behind = after === null ? null : parsePosition(after);
  return [...all(tables)]
    .map((found) => ({ ...found, position: positionOf(found) }))
    .filter(({ position }) => position[0] >= from && position[0] < to)
    .filter(({ position }) => behind === null || compare(position, behind) > 0)
    .sort((a, b) => compare(a.position, b.position))
    .slice(0, limit)
    .map(({ place, kept: { wrapSet }, position }) => ({ place, wrapSet, position: JSON.stringify(position) }));
}

function placeAt(tables: MemoryTables, position: string): VersionPlace | undefined {
  return [...all(tables)].find((found) => JSON.stringify(positionOf(found)) === position)?.place;
}

function positionOf({ place }: Found): Position {
  const { collection, id, version } = place;
  return [bucketOf(place), createHash("sha256").update(`${collection}/${id}`).digest("hex"), version];
}

function compare([bucket, address, version]: Position, [otherBucket, other, otherVersion]: Position): number {
  if (bucket !== otherBucket) return bucket - otherBucket;
  if (address !== other) return address < other ? -1 : 1;
  return version - otherVersion;
}

/** @throws VaultError `cursor-invalid` */
function parsePosition(text: string): Position {
  try {
    const place: unknown = JSON.parse(text);
    if (Array.isArray(place) && place.map((value) => typeof value).join() === "number,string,number")
      return place as unknown as Position;
  } catch {
    // Told below.
  }
  throw new VaultError("cursor-invalid", "The position is not one that this store gave out");
}
