/**
 * What stores of records keep in memory, besides what every store does.
 */
import type { Address, Collection } from "../../records/address.ts";
import type { IndexRow, Tag } from "../indexes.ts";
import type { EntryId, StreamRow } from "../outbox.ts";
import type { Head, VersionRow as StoredVersion } from "../rows.ts";
import type { SubjectId, SubjectRow } from "../subjects.ts";
import type { WrapSetId } from "../wrap-set.ts";
import { CommonTables } from "./common-tables.ts";
import type { WrappedRow, WrapSetRow, WrapSetTable } from "./common-tables.ts";
import { Overlay } from "./table.ts";
import type { Table } from "./table.ts";
import { NewEntries } from "./outbox-table.ts";
import type { OutboxTables } from "./outbox-table.ts";
import type { TagTables } from "./tags.ts";

/** One version as it is kept. */
export interface VersionRow extends Omit<StoredVersion, "messageBytes">, WrappedRow {
  readonly message: Buffer;
  /** The message that was replaced and is kept; null: none is. */
  readonly kept: KeptRow | null;
}

/** A message that was replaced. */
export interface KeptRow {
  readonly message: Buffer;
  readonly wrapSet: WrapSetId;
}

/** One record as it is kept. It stays when the record is removed: its number must not come again. */
export interface RecordRow {
  readonly address: Address;
  readonly head: Head;
  /** Of the write that made the head; null: it had none. */
  readonly entry: EntryId | null;
  readonly updatedAt: string;
  readonly sealedId: Uint8Array | null;
  /** The oldest first. */
  readonly versions: readonly VersionRow[];
  /** Whom its versions are about, or ever were. */
  readonly links: readonly SubjectId[];
  /** Of its head. */
  readonly tags: readonly Tag[];
}

/** Of a write: what it changed, or that it never will. */
export type WriteRow = "made" | "void";

/** The tables that units and rewraps change. */
export interface Tables extends WrapSetTable, OutboxTables, TagTables {
  readonly records: Table<RecordRow>;
  readonly writes: Table<WriteRow>;
  readonly subjects: Table<SubjectRow>;
}

/** Changes that nobody sees before they are committed, on top of tables or of other changes. */
export class Draft implements Tables {
  readonly records: Overlay<RecordRow>;
  readonly writes: Overlay<WriteRow>;
  readonly subjects: Overlay<SubjectRow>;
  readonly wrapSets: Overlay<WrapSetRow>;
  readonly streams: Overlay<StreamRow>;
  readonly outbox: NewEntries;
  readonly holders: Overlay<string>;
  readonly indexes: Tables["indexes"];

  constructor({ records, writes, subjects, wrapSets, streams, outbox, holders, indexes }: Tables) {
    this.records = new Overlay(records);
    this.writes = new Overlay(writes);
    this.subjects = new Overlay(subjects);
    this.wrapSets = new Overlay(wrapSets);
    this.streams = new Overlay(streams);
    this.outbox = new NewEntries(outbox);
    this.holders = new Overlay(holders);
    this.indexes = indexes;
  }

  commit(): void {
    const { records, writes, subjects, wrapSets, streams, outbox, holders } = this;
    for (const table of [records, writes, subjects, wrapSets, streams, outbox, holders]) table.commit();
  }
}

/** Everything that stores of records share. */
export class MemoryTables extends CommonTables implements Tables {
  readonly records: RecordTable = new RecordTable();
  readonly writes: Map<string, WriteRow> = new Map<string, WriteRow>();
  /** In the order in which they were made. */
  readonly subjects: Map<string, SubjectRow> = new Map<string, SubjectRow>();
  /** Texts by their names. */
  readonly notes: Map<string, string> = new Map<string, string>();
  readonly indexes: Map<string, IndexRow> = new Map<string, IndexRow>();
  readonly holders: Map<string, string> = new Map<string, string>();
}

/** Where a record is in the order of its collection. */
export interface OrderedRecord {
  readonly key: string;
  /** The bytes of its id. */
  readonly position: Buffer;
}

/** The records, with the order of their ids: sorted when it is asked for, and only after a record was new. */
export class RecordTable extends Map<string, RecordRow> {
  readonly #orders = new Map<Collection, { records: OrderedRecord[]; isSorted: boolean }>();

  override set(key: string, row: RecordRow): this {
    if (!this.has(key)) {
      const { collection, id } = row.address;
      const order = this.#orders.get(collection) ?? { records: [], isSorted: true };
      order.records.push({ key, position: Buffer.from(id, "utf8") });
      order.isSorted = false;
      this.#orders.set(collection, order);
    }
    return super.set(key, row);
  }

  inOrder(collection: Collection): readonly OrderedRecord[] | undefined {
    const order = this.#orders.get(collection);
    if (order === undefined) return undefined;
    // By bytes: JavaScript compares UTF-16, in which what is beyond the BMP comes before U+E000.
    if (!order.isSorted) order.records.sort((a, b) => Buffer.compare(a.position, b.position));
    order.isSorted = true;
    return order.records;
  }

  collections(): readonly Collection[] {
    return [...this.#orders.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

/** By which a record is found. No collection's name has a slash. */
export function recordKey({ collection, id }: Address): string {
  return `${collection}/${id}`;
}
