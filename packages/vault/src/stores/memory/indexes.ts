/**
 * The indexes of what is in memory. It reads everything there is: enough for a test.
 */
import type { Address } from "../../records/address.ts";
import type { Epoch } from "../gate.ts";
import { refused } from "../checked.ts";
import {
  requireSameIndex,
  tagKey,
  takeAddresses,
  takeFill,
  takeIndexRows,
  takeMost,
  takePurge,
  takeQuery,
  takeTerms,
} from "../index-limits.ts";
import type { TagTerms } from "../index-limits.ts";
import type { Filling, FillResult, IndexId, Indexes, IndexRow, Tag, TagFrequency, TaggedRecord } from "../indexes.ts";
import type { Lease } from "../jobs.ts";
import { isHeld } from "./jobs.ts";
import type { Opened } from "./opened.ts";
import { recordKey } from "./tables.ts";
import type { MemoryTables, RecordRow } from "./tables.ts";
import { holdTags, takenIndex, writtenTags } from "./tags.ts";

export function memoryIndexes(opened: Opened<MemoryTables>): Indexes {
  const { tables } = opened;
  return {
    list: () =>
      opened.read(() => ({
        epoch: tables.gate.epoch,
        indexes: [...tables.indexes.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      })),
    // In turn: what was under way, in a caller's transaction too, has ended.
    change: async ({ from, set }) => opened.change(takeIndexRows(set), (rows) => change(tables, from, rows)),
    find: async (query) => {
      const { after, limit, ...terms } = takeQuery(query);
      return opened.read(() =>
        having(tables, terms)
          .map(found)
          .filter(({ position }) => after === null || Buffer.compare(position, after) > 0)
          .slice(0, limit),
      );
    },
    count: async (terms, most) => {
      const [own, atMost] = [takeTerms(terms), takeMost(most)];
      return opened.read(() => Math.min(having(tables, own).length, atMost));
    },
    fill: async (fillings, lease) =>
      opened.change(takeFill({ fillings, lease }), (own) => fill(tables, own.fillings, own.lease)),
    forget: async (addresses) =>
      opened.change(takeAddresses(addresses), (own) => {
        for (const address of own) {
          const record = tables.records.get(recordKey(address));
          if (record !== undefined) replaceTags(tables, record, []);
        }
      }),
    purge: async (index, limit) => opened.change(takePurge({ index, limit }), (own) => purge(tables, own)),
    tagsOf: (address) => opened.read(() => tagsOf(tables, address)),
    frequencies: (index) => opened.read(() => frequencies(tables, index)),
  };
}

function change(tables: MemoryTables, from: Epoch, rows: readonly IndexRow[]): "changed" | "moved" {
  if (tables.gate.digest === null) throw refused("no key set is in force yet");
  if (tables.gate.epoch !== from) return "moved";
  for (const row of rows) requireSameIndex(tables.indexes.get(row.id), row);
  for (const row of rows) tables.indexes.set(row.id, row);
  tables.gate = { ...tables.gate, epoch: (from + 1) as Epoch };
  return "changed";
}

/** In the order of the ids' bytes. */
function having({ records, indexes }: MemoryTables, { collection, terms }: TagTerms): readonly RecordRow[] {
  const isAsked = ({ index }: Tag): boolean => {
    const row = indexes.get(index);
    return row?.collection === collection && row.state !== "dropped";
  };
  const wanted = terms.map((tags) => new Set(tags.filter(isAsked).map(tagKey)));
  return (records.inOrder(collection) ?? []).flatMap(({ key }) => {
    const record = records.get(key);
    if (record?.head.state !== "live") return [];
    const keys = record.tags.map(tagKey);
    return wanted.every((any) => keys.some((one) => any.has(one))) ? record : [];
  });
}

function found({ address: { id }, sealedId }: RecordRow): TaggedRecord {
  return { id, sealedId: sealedId === null ? null : Buffer.from(sealedId), position: Buffer.from(id) };
}

function fill(tables: MemoryTables, fillings: readonly Filling[], lease: Lease | null): readonly FillResult[] {
  const isOwn = lease === null || isHeld(tables, lease);
  return fillings.map(({ address, index, tags, seen, epoch }): FillResult => {
    if (epoch !== tables.gate.epoch) return "gate-moved";
    const record = tables.records.get(recordKey(address));
    const row = tables.indexes.get(index);
    const isWritten = row?.collection === address.collection && row.state !== "dropped";
    if (!isOwn || !isWritten || record?.head.state !== "live" || record.head.version !== seen) return "overtaken";
    const own = writtenTags(
      tables,
      address,
      tags.map((tag) => ({ index, tag })),
    );
    if (takenIndex(tables, recordKey(address), own) !== undefined) return "taken";
    replaceTags(tables, record, [...record.tags.filter((tag) => tag.index !== index), ...own]);
    return "filled";
  });
}

function replaceTags(tables: MemoryTables, record: RecordRow, tags: readonly Tag[]): void {
  const key = recordKey(record.address);
  holdTags(tables, key, record.tags, tags);
  tables.records.set(key, { ...record, tags });
}

function purge(tables: MemoryTables, { index, limit }: { readonly index: IndexId; readonly limit: number }): number {
  const row = tables.indexes.get(index);
  if (row === undefined) return 0;
  if (row.state !== "dropped") throw refused("tags of an index that was not dropped do not go");
  let left = limit;
  for (const record of tables.records.values()) {
    const going = record.tags.filter((tag) => tag.index === index).slice(0, left);
    if (going.length === 0) continue;
    replaceTags(
      tables,
      record,
      record.tags.filter((tag) => !going.includes(tag)),
    );
    left -= going.length;
  }
  if (left === limit) tables.indexes.delete(index);
  return limit - left;
}

function tagsOf({ records }: MemoryTables, address: Address): readonly Tag[] | null {
  const record = records.get(recordKey(address));
  if (record?.head.state !== "live") return null;
  return record.tags.map(({ index, tag }) => ({ index, tag: Buffer.from(tag) }));
}

function frequencies({ records }: MemoryTables, index: IndexId): readonly TagFrequency[] {
  const counts = new Map<string, number>();
  for (const { tags } of records.values())
    for (const tag of tags) if (tag.index === index) counts.set(tagKey(tag), (counts.get(tagKey(tag)) ?? 0) + 1);
  const found = Map.groupBy(counts.values(), (records) => records);
  return [...found].sort(([a], [b]) => a - b).map(([records, tags]) => ({ records, tags: tags.length }));
}
