/**
 * Columns as a vault fills them. The file is not trusted: a number beyond 2^53 would end a whole query, and a negative
 * one, or a date that is none, would be acted upon. What a vault never writes is read as null and named by its column.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { MAX_ID_BYTES } from "../../records/address.ts";
import { MAX_SEALED_BYTES } from "../unit-people.ts";

/** The column's number when it is whole and from `least` to 2^53 - 1, null otherwise. */
export function whole(column: string, least: number = 1): RawBuilder<number | null> {
  const value = sql.ref(column);
  const [from, to] = [sql.lit(least), sql.lit(Number.MAX_SAFE_INTEGER)];
  return sql<number | null>`iif(typeof(${value}) = 'integer' and ${value} between ${from} and ${to}, ${value}, null)`;
}

/** A row's number in decimal digits: a hand may have made it any that SQLite can hold, and SQLite goes on from it. */
export const rowNumber = (column: string): RawBuilder<string> => sql<string>`cast(${sql.ref(column)} as text)`;

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The text when it is a moment as `toISOString` writes it, null otherwise. */
export function moment(value: unknown): string | null {
  if (typeof value !== "string" || !MOMENT.test(value)) return null;
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value ? value : null;
}

/** A name as its bytes are read: one that is too long is cut, with one byte more than a name may have. */
export interface FoundName {
  readonly text: string;
  /** False: it is too long, or its bytes are no UTF-8; the text is not all that is stored then. */
  readonly isWhole: boolean;
  /** Where a list goes on behind it: behind one that was cut, with what does not begin like it. */
  readonly position: Uint8Array;
}

/** What is selected of a name for {@link foundName}. */
export const nameBytes = (column: string): RawBuilder<Uint8Array | null> =>
  sql<Uint8Array | null>`substr(cast(${sql.ref(column)} as blob), 1, ${sql.lit(MAX_ID_BYTES + 1)})`;

/** What is selected of a sealed id: one that is longer than any that a vault writes is cut, with one byte more. */
export const sealedIdBytes = (column: string): RawBuilder<Uint8Array | null> =>
  sql<Uint8Array | null>`substr(${sql.ref(column)}, 1, ${sql.lit(MAX_SEALED_BYTES + 1)})`;

/** Null also for one that is too long, or is no bytes. */
export const foundSealedId = (selected: Uint8Array | null): Uint8Array | null =>
  selected instanceof Uint8Array && selected.length <= MAX_SEALED_BYTES ? selected : null;

/** Of no bytes SQLite makes null. */
export function foundName(selected: Uint8Array | null): FoundName {
  const bytes = Buffer.from(selected ?? []);
  const text = bytes.toString("utf8");
  if (bytes.length > MAX_ID_BYTES) return { text, isWhole: false, position: Buffer.concat([bytes, Buffer.of(0xff)]) };
  return { text, isWhole: Buffer.from(text).equals(bytes), position: bytes };
}
