/**
 * How a list is cut into pages: its limit, what a row comes to, and the cursor behind the last one.
 */
import { VaultError } from "../errors.ts";

/** @throws VaultError `limit-invalid` */
export function requirePageLimit(limit: number, most: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
    throw new VaultError("limit-invalid", `A page has 1 to ${most} items`);
}

/** What a row comes to. */
export type Shown<Item, Damaged> = { readonly item: Item } | { readonly damaged: Damaged };

/** `found` has one row more than asked for when there is a next page. */
export function page<Row, Item, Damaged>(
  found: readonly Row[],
  limit: number,
  of: {
    readonly show: (row: Row) => Shown<Item, Damaged>;
    readonly cursorAfter: (last: Row) => readonly string[];
  },
): { readonly items: readonly Item[]; readonly damaged?: readonly Damaged[]; readonly next: string | null } {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const all = rows.map(of.show);
  const damaged = all.flatMap((one) => ("damaged" in one ? [one.damaged] : []));
  return {
    items: all.flatMap((one) => ("item" in one ? [one.item] : [])),
    ...(damaged.length === 0 ? {} : { damaged }),
    next: found.length > limit && last !== undefined ? encodeCursor(of.cursorAfter(last)) : null,
  };
}

/** A position of the greatest length, and two names of the greatest length, stay below this. */
const MAX_CURSOR_LENGTH = 16_384;

/** Opaque to callers: one JSON list in base64url. */
export function encodeCursor(fields: readonly string[]): string {
  return Buffer.from(JSON.stringify(fields), "utf8").toString("base64url");
}

/** The list in a cursor; empty when there is none. */
export function decodeCursor(cursor: string): readonly string[] {
  if (cursor.length > MAX_CURSOR_LENGTH || !/^[A-Za-z0-9_-]+$/.test(cursor)) return [];
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(fields) && fields.every((field) => typeof field === "string") ? fields : [];
  } catch {
    return [];
  }
}

/** What is thrown of a cursor that another list gave out, or nobody. */
export function cursorInvalid(): VaultError {
  return new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
}
