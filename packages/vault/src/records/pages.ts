/**
 * Lists by pages: the records of a collection, and the versions that owe a wrap. A cursor is a position, not a
 * snapshot: what is written behind it is not seen, what is written ahead of it is.
 */
import { shown } from "@strongroom/base/shown";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { DebtPosition, FoundDebt, ListedRecord, OwedVersion } from "../store.ts";
import { isCollection, parseId } from "./address.ts";
import type { Collection } from "./address.ts";
import { recordState } from "./read.ts";

/** Which page of a list. */
export interface ListOptions {
  /** `next` of the page before; left out: the first page. */
  readonly cursor?: string;
  /** Items of a page; {@link DEFAULT_LIST_LIMIT} when left out. */
  readonly limit?: number;
}

/** A record that is there and cannot be given, because its rows are not as a vault wrote them. */
export interface DamagedRecord {
  /** As it is in the database, cut, and everything but printable ASCII escaped: it need not be an id. */
  readonly id: string;
  readonly code: VaultErrorCode;
}

/** A page of a collection's records. */
export interface ListResult {
  readonly items: readonly { readonly id: string; readonly version: number; readonly updatedAt: string }[];
  /** Records of the page that are not as they were written. Left out when there is none. */
  readonly damaged?: readonly DamagedRecord[] | undefined;
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** A version that has fewer wraps than it should. */
export interface OwedVersion extends VersionPlace {
  /** Where a wrap is missing, in order of the key's ARN, and what the region said when the message was sealed. */
  readonly regions: readonly { readonly region: string; readonly reason: string }[];
  /** Since when it has the wraps that it has: ISO 8601, UTC. */
  readonly since: string;
  /** Repairs of it that failed one after the other. */
  readonly attempts: number;
  /** Why the last repair failed, null when none has. */
  readonly lastProblem: { readonly code: string; readonly at: string } | null;
}

/** A page of versions that have fewer wraps than they should. */
export interface DebtPage {
  readonly items: readonly OwedVersion[];
  /** Rows of the page that are no debts of versions. Left out when there is none. */
  readonly damaged?: readonly (DamagedRecord & { readonly collection: string })[] | undefined;
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** Records that are there now; a collection whose records were all removed is listed with 0. */
export interface CollectionCount {
  readonly collection: Collection;
  readonly records: number;
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
  return page(found, limit, { show: listed, cursorAfter: ({ position }) => [LIST_FORMAT, collection, text(position)] });
}

function listed({ id, updatedAt, ...rows }: ListedRecord): Shown<ListResult["items"][number], DamagedRecord> {
  try {
    const state = recordState(rows);
    if (state.kind === "live" && updatedAt !== null)
      return { item: { id: parseId(id), version: state.version, updatedAt } };
    return { damaged: { id: shown(id), code: "record-tampered" } };
  } catch (error) {
    const code = isVaultError(error) && error.code !== "id-invalid" ? error.code : "record-tampered";
    return { damaged: { id: shown(id), code } };
  }
}

/** `vault.debts`. */
export async function debts(
  { store, limits }: Pick<Dependencies, "store" | "limits">,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<DebtPage> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : decodeDebtCursor(cursor);
  const found = await store.debts({ after, limit: limit + 1 });
  return page(found, limit, {
    show: ({ owed, collection, id }: FoundDebt): Shown<OwedVersion, DamagedRecord & { readonly collection: string }> =>
      owed === null
        ? { damaged: { collection: shown(collection), id: shown(id), code: "record-tampered" } }
        : { item: owed },
    cursorAfter: ({ position: { collection, id, version } }) => [DEBT_FORMAT, text(collection), text(id), version],
  });
}

/** `vault.collections`: what has a name that no collection has is left out. */
export async function collections({ store }: Pick<Dependencies, "store">): Promise<readonly CollectionCount[]> {
  return (await store.collections()).flatMap(({ name, records }) =>
    isCollection(name) ? [{ collection: name, records }] : [],
  );
}

function requirePageLimit(limit: number, most: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
    throw new VaultError("limit-invalid", `A page has 1 to ${most} items`);
}

/** What a row comes to. */
type Shown<Item, Damaged> = { readonly item: Item } | { readonly damaged: Damaged };

/** `found` has one row more than asked for when there is a next page. */
function page<Row, Item, Damaged>(
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

/** What a cursor begins with, so that one list's is not taken for another's. */
const LIST_FORMAT = "list-2";
const DEBT_FORMAT = "debt-2";

/** Two names of the greatest length stay below this. */
const MAX_CURSOR_LENGTH = 4096;

/** A place is bytes: what lies in a row need not be text that can be written as JSON. */
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const bytes = (value: string): Uint8Array => Buffer.from(value, "base64url");

/** Opaque to callers: one JSON list in base64url. */
function encodeCursor(fields: readonly string[]): string {
  return Buffer.from(JSON.stringify(fields), "utf8").toString("base64url");
}

/** The list in a cursor; empty when there is none. */
function decodeCursor(cursor: string): readonly string[] {
  if (cursor.length > MAX_CURSOR_LENGTH || !/^[A-Za-z0-9_-]+$/.test(cursor)) return [];
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(fields) && fields.every((field) => typeof field === "string") ? fields : [];
  } catch {
    return [];
  }
}

/** @throws VaultError `cursor-invalid` */
function decodeListCursor(expected: Collection, cursor: string): Uint8Array {
  const [format, collection, position, ...rest] = decodeCursor(cursor);
  if (format !== LIST_FORMAT || collection === undefined || position === undefined || rest.length > 0)
    throw cursorInvalid();
  if (collection !== expected) throw new VaultError("cursor-invalid", "The cursor is of another collection");
  return bytes(position);
}

/** @throws VaultError `cursor-invalid` */
function decodeDebtCursor(cursor: string): DebtPosition {
  const [format, collection, id, version = "", ...rest] = decodeCursor(cursor);
  if (format !== DEBT_FORMAT || collection === undefined || id === undefined || rest.length > 0) throw cursorInvalid();
  if (!/^-?[0-9]{1,19}$/.test(version)) throw cursorInvalid();
  return { collection: bytes(collection), id: bytes(id), version };
}

function cursorInvalid(): VaultError {
  return new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
}
