/**
 * Where a list goes on, bound to its collection: records written behind it are not seen, records ahead of it are.
 */
import { parseId } from "./address.ts";
import type { Collection, RecordId } from "./address.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { VaultError } from "./errors.ts";

const FORMAT = 1;

export function encodeListCursor(collection: Collection, after: RecordId): string {
  return encodeCursor([FORMAT, collection, after]);
}

/** @throws VaultError `cursor-invalid` */
export function decodeListCursor(collection: Collection, cursor: string): RecordId {
  const fields = cursorFields(cursor);
  if (fields === null) throw new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
  if (fields.collection !== collection) throw new VaultError("cursor-invalid", "The cursor is of another collection");
  return fields.after;
}

function cursorFields(cursor: string): { readonly collection: string; readonly after: RecordId } | null {
  const fields = decodeCursor(cursor);
  if (fields?.length !== 3) return null;
  const [format, collection, after] = fields;
  if (format !== FORMAT || typeof collection !== "string" || typeof after !== "string") return null;
  try {
    return { collection, after: parseId(after) };
  } catch {
    return null;
  }
}
