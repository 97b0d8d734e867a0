/**
 * What every store in memory keeps, of records or of keys: the gate, wrap sets, partitions of jobs, and turns. Rows are
 * never changed, only replaced: whoever read one has a snapshot.
 */
import { randomUUID } from "node:crypto";
import { Turns } from "@strongroom/base/work";
import { STORE_READER, STORE_WRITER } from "../gate.ts";
import type { Epoch, GateState } from "../gate.ts";
import type { Failure } from "../inventory.ts";
import type { JobPartition } from "../jobs.ts";
import type { StreamRow } from "../outbox.ts";
import type { WrapCount } from "../rows.ts";
import { wrapSetForm } from "../wrap-set.ts";
import type { WrapSet, WrapSetId } from "../wrap-set.ts";
import { OutboxTable } from "./outbox-table.ts";
import type { Table } from "./table.ts";

/** What the inventory knows of everything that has wraps. */
export interface WrappedRow {
  readonly wrapSet: WrapSetId;
  readonly since: string;
  readonly revision: number;
  /** `dueAt`: in milliseconds, by the store's clock. */
  readonly failure: (Failure & { readonly dueAt: number }) | null;
}

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

/** Where the numbers of wrap sets come from. */
export interface WrapSetTable {
  readonly wrapSets: Table<WrapSetRow>;
}

/** What stores of either kind share. */
export class CommonTables implements WrapSetTable {
  readonly wrapSets: Map<string, WrapSetRow> = new Map<string, WrapSetRow>();
  readonly partitions: Map<string, PartitionRow> = new Map<string, PartitionRow>();
  readonly outbox: OutboxTable = new OutboxTable();
  readonly streams: Map<string, StreamRow> = new Map<string, StreamRow>();
  gate: GateState = {
    vault: randomUUID(),
    peer: null,
    epoch: 0 as Epoch,
    digest: null,
    minReader: STORE_READER,
    minWriter: STORE_WRITER,
  };
  readonly #turns = new Turns();

  /** Does it while nobody else changes rows or the gate, as under a database's write lock. */
  change<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    return this.#turns.take("", async () => work());
  }
}

/** The set's number; a new one when it is a new set. */
export function internWrapSet({ wrapSets }: WrapSetTable, set: WrapSet): WrapSetId {
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
