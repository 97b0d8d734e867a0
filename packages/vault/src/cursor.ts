/**
 * Cursors of pages: opaque to callers, one JSON list in base64url. A cursor is a position, not a snapshot.
 */

/** Ids of the greatest length with every byte escaped in JSON stay below this. */
const MAX_LENGTH = 4096;

export function encodeCursor(fields: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(fields), "utf8").toString("base64url");
}

/**
 * The list in a cursor; null when there is none. Its members are the reader's to check: a cursor comes from outside.
 */
export function decodeCursor(cursor: string): readonly unknown[] | null {
  if (cursor.length > MAX_LENGTH || !/^[A-Za-z0-9_-]+$/.test(cursor)) return null;
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(fields) ? fields : null;
  } catch {
    return null;
  }
}
