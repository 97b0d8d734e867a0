/**
 * Reads of records. Bytes are copied out: what a reader does with them changes nothing that is kept.
 */
import type { Address, Collection, Version } from "../../records/address.ts";
import type {
  FoundCollection,
  ListedRecord,
  ListPage,
  RecordRead,
  RecordRows,
  RecordVersions,
  StoredMessage,
  VersionRow,
  VersionsPage,
} from "../rows.ts";
import { subjectsOf } from "./subjects.ts";
import { recordKey } from "./tables.ts";
import type { MemoryTables, OrderedRecord, RecordRow, VersionRow as KeptVersion } from "./tables.ts";

export function readHead(tables: MemoryTables, address: Address): RecordRows {
  return rowsOf(tables.records.get(recordKey(address)));
}

export function readRecord(tables: MemoryTables, address: Address, version: Version | null): RecordRead {
  const record = tables.records.get(recordKey(address));
  const wanted = version ?? record?.head.version;
  const found = record?.versions.find((row) => row.version === wanted);
  if (found === undefined) return { ...rowsOf(record), stored: null, subjects: [] };
  return { ...rowsOf(record), stored: storedMessage(found), subjects: subjectsOf(tables, found) };
}

export function readVersions(tables: MemoryTables, address: Address, { before, limit }: VersionsPage): RecordVersions {
  const record = tables.records.get(recordKey(address));
  const versions = (record?.versions ?? []).filter(({ version }) => before === null || version < before);
  return { ...rowsOf(record), versions: versions.toReversed().slice(0, limit).map(versionRow) };
}

export function listRecords(
  tables: MemoryTables,
  collection: Collection,
  { after, limit }: ListPage,
): readonly ListedRecord[] | null {
  const ordered = tables.records.inOrder(collection);
  if (ordered === undefined) return null;
  const found: ListedRecord[] = [];
  for (const { key, position } of behind(ordered, after)) {
    if (found.length >= limit) break;
    const record = tables.records.get(key);
    if (record === undefined || (record.head.state === "removed" && record.versions.length === 0)) continue;
    found.push({
      ...rowsOf(record),
      id: record.address.id,
      position: Buffer.from(position),
      updatedAt: record.updatedAt,
      sealedId: record.sealedId === null ? null : Buffer.from(record.sealedId),
    });
  }
  return found;
}

export function countCollections(tables: MemoryTables): readonly FoundCollection[] {
  return tables.records.collections().map((name) => {
    const records = tables.records.inOrder(name) ?? [];
    return { name, records: records.filter(({ key }) => tables.records.get(key)?.head.state === "live").length };
  });
}

function behind(ordered: readonly OrderedRecord[], after: Uint8Array | null): readonly OrderedRecord[] {
  return after === null ? ordered : ordered.filter(({ position }) => Buffer.compare(position, after) > 0);
}

function rowsOf(record: RecordRow | undefined): RecordRows {
  if (record === undefined) return { head: null, newestRow: null };
  const { head, versions, entry } = record;
  const rows = { head: { ...head }, newestRow: versions.at(-1)?.version ?? null };
  return entry === null ? rows : { ...rows, entry };
}

function versionRow({ message, ...row }: KeptVersion): VersionRow {
  return { ...commonOf(row), messageBytes: message.length };
}

function storedMessage({ message, wrapSet, revision, ...row }: KeptVersion): StoredMessage {
  return { ...commonOf(row), stamp: { wrapSet, revision }, message: Buffer.from(message) };
}

function commonOf(row: Omit<VersionRow, "messageBytes">): Omit<VersionRow, "messageBytes"> {
  const { version, scheme, subject, about, createdAt, wraps } = row;
  return { version, scheme, subject, about: [...about], createdAt, wraps: { ...wraps } };
}
