/**
 * The tables of an outbox, which the file of the records and that of the keys have alike. Ids are 16 bytes; a tag is
 * its text, which is what it is compared and sorted by.
 */
import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Programs, RowNumber } from "./common-schema.ts";

/** Entries that wait. */
export interface OutboxTable {
  /** In the order of commits; never given again, see {@link POSITIONS}. */
  readonly position: RowNumber;
  readonly id: Uint8Array;
  readonly stream: Uint8Array;
  readonly number: number;
  /** 1: the stream ends with it. */
  readonly ends: number;
  readonly tag: string | null;
  /** When it was written, in milliseconds since the epoch. */
  readonly at: number;
  readonly mac: Uint8Array;
  readonly text: Uint8Array;
}

/** How far each stream is. */
export interface StreamTable {
  readonly stream: Uint8Array;
  readonly last: number;
  /** When that was written, in milliseconds since the epoch. */
  readonly at: number;
}

export interface OutboxSchema {
  readonly outbox: OutboxTable;
  readonly streams: StreamTable;
}

/**
 * A transaction's positions begin at its number, times this: an entry's position is none of before, also when nothing
 * waits any more. Whoever takes entries away that somebody else has taken away already takes nothing else with it.
 */
export const POSITIONS: bigint = 2n ** 20n;
/** A position that a hand has put beyond this is left to itself: there is nothing behind the last number. */
export const MOST_POSITION: bigint = 2n ** 62n;

/** The text comes last: what stands before it is read without it. */
export const OUTBOX_TABLES: readonly string[] = [
  `create table outbox (
    position integer not null primary key,
    id blob not null,
    stream blob not null,
    number integer not null check (number >= 1),
    ends integer not null check (ends in (0, 1)),
    tag text,
    at integer not null,
    mac blob not null,
    text blob not null
  ) strict`,
  // Whether anything of a stream waits; and by the address that it changes.
  "create index outbox_stream on outbox (stream)",
  "create index outbox_tag on outbox (tag) where tag is not null",
  `create table streams (
    stream blob not null primary key,
    last integer not null check (last >= 1),
    at integer not null
  ) strict, without rowid`,
];

/** A program of before must not go on: it would write what no entry tells, or leave behind what it does not know. */
export async function refuseBefore(db: Kysely<unknown>, { reader, writer }: Programs): Promise<void> {
  await sql`
    update gate
    set min_reader = max(min_reader, ${reader}), min_writer = max(min_writer, ${writer})`.execute(db);
}
