// The documents of the stores' rows: 1,024 bytes of JSON each, made from a number, so that whoever reads one knows what
// it must be without having kept it.

import { payloadOf } from "../harness/payload.ts";

export interface BenchDocument {
  readonly id: string;
  readonly notes: string;
}

export const COLLECTION = "people";
export const DOCUMENT_BYTES = 1_024;

/** Odd, so that no two numbers below 2^32 have the same id; numbers that follow each other are far apart. */
const SPREAD = 0x9e3779b1;

/** The id of a record by its number: ids come in no order, as a customer's do that are random. */
export function idOf(number: number): string {
  return `p${(Math.imul(number, SPREAD) >>> 0).toString(16).padStart(8, "0")}`;
}

const EMPTY = JSON.stringify({ id: idOf(0), notes: "" });
const NOTES = payloadOf(DOCUMENT_BYTES - EMPTY.length).toString("latin1");

export function documentOf(number: number): BenchDocument {
  return { id: idOf(number), notes: NOTES };
}

export function bytesOf(number: number): Buffer {
  return Buffer.from(JSON.stringify(documentOf(number)), "utf8");
}

const expected = bytesOf(0);
const ID_AT = expected.indexOf(idOf(0));

/** Throws unless these are the bytes of that document. Costs little enough to be done on the clock. */
export function assertBytes(actual: Uint8Array | undefined, number: number): void {
  expected.write(idOf(number), ID_AT, "latin1");
  if (actual === undefined || Buffer.compare(actual, expected) !== 0)
    throw new Error(`record ${number} has ${actual?.length ?? "no"} bytes that are not its own`);
}

/** Throws unless this is that document. */
export function assertDocument(actual: Readonly<Record<string, unknown>>, number: number): void {
  if (actual["id"] !== idOf(number) || actual["notes"] !== NOTES || Object.keys(actual).length !== 2)
    throw new Error(`record ${number} has another document than its own`);
}
