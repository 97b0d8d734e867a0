/**
 * Where a list goes on: opaque to callers, bound to its collection. A cursor is a position, not a snapshot: records
 * written behind it are not seen, records ahead of it are.
 */
import { parseId } from "./address.ts";
import type { Collection, RecordId } from "./address.ts";
import { VaultError } from "./errors.ts";

const FORMAT = 1;
/** An id of the greatest length with every byte escaped in JSON stays below this. */
const MAX_LENGTH = 4096;

export function encodeCursor(collection: Collection, after: RecordId): string {
  return Buffer.from(JSON.stringify([FORMAT, collection, after]), "utf8").toString("base64url");
}

/** @throws VaultError `cursor-invalid` */
export function decodeCursor(collection: Collection, cursor: string): RecordId {
  const fields = cursorFields(cursor);
  if (fields === null) throw new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
  if (fields.collection !== collection) throw new VaultError("cursor-invalid", "The cursor is of another collection");
  return fields.after;
}

function cursorFields(cursor: string): { readonly collection: string; readonly after: RecordId } | null {
  if (cursor.length > MAX_LENGTH || !/^[A-Za-z0-9_-]+$/.test(cursor)) return null;
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Array.isArray(fields) || fields.length !== 3) return null;
    const [format, collection, after] = fields as unknown[];
    if (format !== FORMAT || typeof collection !== "string" || typeof after !== "string") return null;
    return { collection, after: parseId(after) };
  } catch {
    return null;
  }
}
