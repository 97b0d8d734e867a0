/**
 * What stores take, checked and copied at the call: nothing that a caller does to its objects and buffers afterwards
 * changes what is stored. What a row may hold is in key-limits.ts, outbox-limits.ts and log-limits.ts.
 */
import { VaultError } from "../errors.ts";
import { isSubjectId } from "./subjects.ts";

/** An id, in the form that all random ids have here: a version 4 UUID in lower case. @throws RangeError */
export function randomId<Id extends string>(value: Id, what: string): Id {
  if (isSubjectId(value)) return value;
  throw new RangeError(`${what} is none`);
}

/** A text without NUL, and with whole characters. @throws RangeError */
export function text(value: string, most: number): string {
  if (typeof (value as unknown) !== "string" || !value.isWellFormed()) throw new RangeError("a text is none");
  const length = Buffer.byteLength(value, "utf8");
  if (length === 0 || length > most || value.includes("\0")) throw new RangeError(`a text has 1 to ${most} bytes`);
  return value;
}

/** @throws RangeError */
export function wholeNumber(value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`a number is whole and at least ${least}`);
}

/** The same bytes. @throws RangeError */
export function someBytes(value: Uint8Array, least: number, most: number): Uint8Array {
  const { length } = value;
  if (value instanceof Uint8Array && length >= least && length <= most) return value;
  throw new RangeError(`some bytes are ${length}, not ${least} to ${most}`);
}

/** A copy in memory of its own: a Buffer may lie in memory that it shares with others of this process. */
export function ownBytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = new Uint8Array(value.length);
  own.set(value);
  return own;
}

/** A copy of them in memory of its own. @throws RangeError */
export function bytes(value: Uint8Array, least: number, most: number): Uint8Array<ArrayBuffer> {
  return ownBytes(someBytes(value, least, most));
}

/** What is taken. @throws VaultError `store-failed`: it was refused */
export function whole<Taken>(take: () => Taken): Taken {
  try {
    return take();
  } catch (cause) {
    throw refused(`it holds what no vault writes${cause instanceof Error ? ` (${cause.message})` : ""}`, cause);
  }
}

export function refused(why: string, cause?: unknown): VaultError {
  return new VaultError("store-failed", `The store does not take this: ${why}`, { cause });
}
