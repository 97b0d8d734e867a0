/**
 * What stores in memory keep. Rows are never changed, only replaced: whoever read one has a snapshot.
 */
import { randomUUID } from "node:crypto";
import { Turns } from "@strongroom/base/work";
import type { Address, Collection, Subject, Version } from "../../records/address.ts";
import { STORE_READER, STORE_WRITER } from "../gate.ts";
import type { Epoch, GateState } from "../gate.ts";
import type { Failure } from "../inventory.ts";
import type { JobPartition } from "../jobs.ts";
import type { Head, WrapCount } from "../rows.ts";
import { wrapSetForm } from "../wrap-set.ts";
import type { WrapSet, WrapSetId } from "../wrap-set.ts";

/** One version as it is kept. */
export interface VersionRow {
  readonly version: Version;
  readonly subject: Subject;
  readonly createdAt: string;
  readonly wraps: WrapCount;
  readonly message: Buffer;
  readonly wrapSet: WrapSetId;
  readonly since: string;
  readonly revision: number;
  /** `dueAt`: in milliseconds, by the store's clock. */
  readonly failure: (Failure & { readonly dueAt: number }) | null;
}

/** One record as it is kept. It stays when the record is removed: its number must not come again. */
export interface RecordRow {
  readonly address: Address;
  readonly head: Head;
  readonly updatedAt: string;
  /** The oldest first. */
  readonly versions: readonly VersionRow[];
}

/** Of a write: what it changed, or that it never will. */
export type WriteRow = "made" | "void";

/** One distinct wrap set. */
export interface WrapSetRow {
  readonly id: WrapSetId;
  readonly form: string;
}

/** One partition of a job. Times are in milliseconds, by the store's clock. */
export interface PartitionRow extends Pick<
  JobPartition,
  "job" | "partition" | "fence" | "cursor" | "done" | "failed" | "problem" | "holder"
> {
  /** `held`: until `dueAt`, unless it is saved or given back before. */
  readonly state: "free" | "held" | "finished";
  readonly dueAt: number;
  readonly takenAt: number | null;
  readonly savedAt: number | null;
  /** When the lease was taken or last made longer. */
  readonly renewedAt: number;
}

/** Rows by their key. None is ever taken away. */
export interface Table<Row> {
  readonly size: number;
  get(key: string): Row | undefined;
  set(key: string, row: Row): unknown;
}

/** The tables that units and rewraps change. */
export interface Tables {
  readonly records: Table<RecordRow>;
  readonly writes: Table<WriteRow>;
  readonly wrapSets: Table<WrapSetRow>;
}

/** Changes that nobody sees before they are committed, on top of tables or of other changes. */
export class Draft implements Tables {
  readonly records: Overlay<RecordRow>;
  readonly writes: Overlay<WriteRow>;
  readonly wrapSets: Overlay<WrapSetRow>;

  constructor({ records, writes, wrapSets }: Tables) {
    this.records = new Overlay(records);
    this.writes = new Overlay(writes);
    this.wrapSets = new Overlay(wrapSets);
  }

  commit(): void {
    this.records.commit();
    this.writes.commit();
    this.wrapSets.commit();
  }
}

class Overlay<Row> implements Table<Row> {
  readonly #below: Table<Row>;
  readonly #changed = new Map<string, Row>();
  #added = 0;

  constructor(below: Table<Row>) {
    this.#below = below;
  }

  get size(): number {
    return this.#below.size + this.#added;
  }

  get(key: string): Row | undefined {
    return this.#changed.get(key) ?? this.#below.get(key);
  }

  set(key: string, row: Row): void {
    if (this.get(key) === undefined) this.#added += 1;
    this.#changed.set(key, row);
  }

  commit(): void {
    for (const [key, row] of this.#changed) this.#below.set(key, row);
  }
}

/** Everything that stores share. */
export class MemoryTables implements Tables {
  readonly records: RecordTable = new RecordTable();
  readonly writes: Map<string, WriteRow> = new Map<string, WriteRow>();
  readonly wrapSets: Map<string, WrapSetRow> = new Map<string, WrapSetRow>();
  readonly partitions: Map<string, PartitionRow> = new Map<string, PartitionRow>();
  gate: GateState = {
    vault: randomUUID(),
    epoch: 0 as Epoch,
    digest: null,
    minReader: STORE_READER,
    minWriter: STORE_WRITER,
  };
  readonly #turns = new Turns();

  /** Does it while nobody else changes records or the gate, as under a database's write lock. */
  change<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    return this.#turns.take("", async () => work());
  }
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

/** The set's number; a new one when it is a new set. */
export function internWrapSet({ wrapSets }: Tables, set: WrapSet): WrapSetId {
  const form = wrapSetForm(set);
  const found = wrapSets.get(form);
  if (found !== undefined) return found.id;
  const id = (wrapSets.size + 1) as WrapSetId;
  wrapSets.set(form, { id, form });
  return id;
}

/** How many wraps a set has, and how many it should have. */
export function countWraps({ wraps, target }: WrapSet): WrapCount {
  return { stored: wraps.length, target };
}
