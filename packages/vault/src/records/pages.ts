/**
 * Lists by pages: the records of a collection, and the versions that owe a wrap. A cursor is a position, not a
 * snapshot: what is written behind it is not seen, what is written ahead of it is.
 */
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { OwedVersion, VersionPlace } from "../store.ts";
import { parseAddress, parseId, parseVersion } from "./address.ts";
import type { Collection, RecordId } from "./address.ts";

/** Which page of a list. */
export interface ListOptions {
  /** `next` of the page before; left out: the first page. */
  readonly cursor?: string;
  /** Items of a page; {@link DEFAULT_LIST_LIMIT} when left out. */
  readonly limit?: number;
}

/** A page of a collection's records. */
export interface ListResult {
  readonly items: readonly { readonly id: string; readonly version: number; readonly updatedAt: string }[];
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** A page of versions that have fewer wraps than they should. */
export interface DebtPage {
  readonly items: readonly OwedVersion[];
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** Items of a page when the caller names no number. */
export const DEFAULT_LIST_LIMIT = 100;

/** `vault.list`. */
export async function list(
  { store, limits }: Pick<Dependencies, "store" | "limits">,
  collection: Collection,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<ListResult> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : decodeListCursor(collection, cursor);
  const found = await store.list(collection, { after, limit: limit + 1 });
  if (found === null) throw new VaultError("collection-absent", "There is no such collection");
  return page(found, limit, ({ id }) => encodeCursor([LIST_FORMAT, collection, id]));
}

/** `vault.debts`. */
export async function debts(
  { store, limits }: Pick<Dependencies, "store" | "limits">,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<DebtPage> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : decodeDebtCursor(cursor);
  const found = await store.debts({ after, limit: limit + 1 });
  return page(found, limit, ({ collection, id, version }) => encodeCursor([DEBT_FORMAT, collection, id, version]));
}

function requirePageLimit(limit: number, most: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
    throw new VaultError("limit-invalid", `A page has 1 to ${most} items`);
}

/** `found` has one item more than asked for when there is a next page. */
function page<Item>(
  found: readonly Item[],
  limit: number,
  cursorAfter: (last: Item) => string,
): { readonly items: readonly Item[]; readonly next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? cursorAfter(last) : null };
}

/** What a cursor begins with, so that one list's is not taken for another's. */
const LIST_FORMAT = 1;
const DEBT_FORMAT = "debt-1";

/** Ids of the greatest length with every byte escaped in JSON stay below this. */
const MAX_CURSOR_LENGTH = 4096;

/** Opaque to callers: one JSON list in base64url. */
function encodeCursor(fields: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(fields), "utf8").toString("base64url");
}

/** The list in a cursor; empty when there is none. Its members are still to be checked: a cursor comes from outside. */
function decodeCursor(cursor: string): readonly unknown[] {
  if (cursor.length > MAX_CURSOR_LENGTH || !/^[A-Za-z0-9_-]+$/.test(cursor)) return [];
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(fields) ? fields : [];
  } catch {
    return [];
  }
}

/** @throws VaultError `cursor-invalid` */
function decodeListCursor(expected: Collection, cursor: string): RecordId {
  const [format, collection, id, ...rest] = decodeCursor(cursor);
  if (format !== LIST_FORMAT || typeof collection !== "string" || typeof id !== "string" || rest.length > 0)
    throw cursorInvalid();
  const after = orCursorInvalid(() => parseId(id));
  if (collection !== expected) throw new VaultError("cursor-invalid", "The cursor is of another collection");
  return after;
}

/** @throws VaultError `cursor-invalid` */
function decodeDebtCursor(cursor: string): VersionPlace {
  const [format, collection, id, version, ...rest] = decodeCursor(cursor);
  if (
    format !== DEBT_FORMAT ||
    typeof collection !== "string" ||
    typeof id !== "string" ||
    typeof version !== "number" ||
    rest.length > 0
  )
    throw cursorInvalid();
  return orCursorInvalid(() => ({ ...parseAddress({ collection, id }), version: parseVersion(version) }));
}

function orCursorInvalid<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch {
    throw cursorInvalid();
  }
}

function cursorInvalid(): VaultError {
  return new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
}
