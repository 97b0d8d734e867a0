/**
 * Positions of lists in the order of the numbers of records.
 */
import { VaultError } from "../../errors.ts";

/** The first number that a row can have. */
export const LEAST_NUMBER = -9223372036854775808n;

const POSITION_BYTES = 8;

export function positionOf(record: bigint): Uint8Array {
  const position = Buffer.alloc(POSITION_BYTES);
  position.writeBigInt64BE(record);
  return position;
}

/** @throws VaultError `cursor-invalid` */
export function numberAt(position: Uint8Array): bigint {
  if (position.length !== POSITION_BYTES)
    throw new VaultError("cursor-invalid", "The position is not one that this store gave out");
  return new DataView(position.buffer, position.byteOffset, POSITION_BYTES).getBigInt64(0);
}
