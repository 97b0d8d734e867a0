/**
 * Columns as a vault fills them. Every column comes as text, whatever parsers the caller gave his driver, and none is
 * trusted: a number beyond 2^53, a negative one or a moment that is none is read as null, and named by its column.
 */
import { MAX_ID_BYTES } from "../../records/address.ts";
import { MAX_SEALED_BYTES } from "../unit-people.ts";

/** A row as it is read. */
export type Columns = Readonly<Record<string, unknown>>;

const DIGITS = /^-?\d{1,16}$/;

/** The number when it is whole and from `least` to 2^53 - 1, null otherwise. */
export function whole(value: unknown, least: number = 1): number | null {
  const number = typeof value === "string" && DIGITS.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= least ? number : null;
}

export const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

export const isTrue = (value: unknown): boolean => value === "t" || value === true;

const LATEST = Date.parse("9999-12-31T23:59:59.999Z");
const EARLIEST = Date.parse("0000-01-01T00:00:00.000Z");

/** ISO 8601 of milliseconds since the epoch, null when they are no moment that a vault writes. */
export function moment(value: unknown): string | null {
  const milliseconds = whole(value, EARLIEST);
  return milliseconds === null || milliseconds > LATEST ? null : new Date(milliseconds).toISOString();
}

/** The bytes of `encode(column, 'hex')`, null when it is none. */
export function bytes(value: unknown): Uint8Array | null {
  if (typeof value !== "string") return null;
  const decoded = Buffer.from(value, "hex");
  // Node stops at the first character that is none, without a word.
  return decoded.length * 2 === value.length ? decoded : null;
}

/** A name as it is read: one that is too long is cut. */
export interface FoundName {
  readonly text: string;
  /** False: it is too long, and the text is not all that is stored. */
  readonly isWhole: boolean;
  /** Where a list goes on behind it: behind one that was cut, with what does not begin like it. */
  readonly position: Uint8Array;
}

/** Sorts behind every text that begins with what stands before it. */
const LAST_CHARACTER = "\u{10ffff}";

/** Of what {@link nameColumn} selects. */
export function foundName(selected: unknown): FoundName {
  const name = text(selected) ?? "";
  const encoded = Buffer.from(name);
  if (encoded.length <= MAX_ID_BYTES) return { text: name, isWhole: true, position: encoded };
  // Cut between two characters: what is no UTF-8 the database would not compare.
  let length = MAX_ID_BYTES;
  while (((encoded[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  const cut = encoded.subarray(0, length).toString("utf8");
  return { text: cut, isWhole: false, position: Buffer.from(cut + LAST_CHARACTER) };
}

/** What is selected of a name: all of one that is not too long, and more than may be of one that is. */
export const nameColumn = (column: string): string => `left(${column}, ${MAX_ID_BYTES + 1})`;

/** Selects a sealed id as `sealed_id`: null also for one that is longer than any that a vault writes. */
export const sealedIdColumn = (column: string): string =>
  `case when octet_length(${column}) <= ${MAX_SEALED_BYTES} then ${column} end as sealed_id`;
