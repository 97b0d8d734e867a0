/**
 * Lists by pages: the records of a collection, and the versions that owe a wrap. A cursor is a position, not a
 * snapshot: what is written behind it is not seen, what is written ahead of it is.
 */
import { shown } from "@strongroom/base/shown";
import { mapBounded } from "@strongroom/base/work";
import { envelopeFailure } from "../envelope-failure.ts";
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { InventoryItem } from "../stores/inventory.ts";
import type { ListedRecord, VersionPlace } from "../stores/rows.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";
import { isCollection, parseId } from "./address.ts";
import type { Collection, RecordId } from "./address.ts";
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
  { store, keys, subjectKeys, rowAddresses, limits }: Omit<Dependencies, "clock" | "turns">,
  collection: Collection,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<ListResult> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : positionAfter(LIST_FORMAT, collection, cursor);
  await keys.requireReader();
  await rowAddresses.requireKind(collection);
  const found = await store.records.list(collection, { after, limit: limit + 1 });
  if (found === null) throw new VaultError("collection-absent", "There is no such collection");
  const shownRows = await mapBounded(found.slice(0, limit), limits.batchConcurrency, (row) => listed(row, ownId));
  const told = new Map(shownRows.map((one, index) => [found[index], one]));
  return page(found, limit, {
    show: (row) => told.get(row) ?? { damaged: { id: shown(row.id), code: "record-tampered" } },
    cursorAfter: ({ position }) => [LIST_FORMAT, collection, text(position)],
  });

  /** The record's own id, as its row has it. */
  async function ownId({ id, sealedId }: ListedRecord): Promise<RecordId> {
    if (subjectKeys === null) return parseId(id);
    if (!rowAddresses.isDeclared(collection, { sealedId }))
      throw new VaultError("collection-differs", "The row is of the other kind than its collection");
    const rowId = parseId(id);
    return sealedId === null ? rowId : subjectKeys.openId(sealedId, { collection, rowId }, undefined);
  }
}

type Listed = Shown<ListResult["items"][number], DamagedRecord>;

async function listed(row: ListedRecord, ownId: (row: ListedRecord) => Promise<RecordId>): Promise<Listed> {
  const { id, updatedAt, ...rows } = row;
  try {
    const state = recordState(rows);
    if (state.kind === "live" && updatedAt !== null)
      return { item: { id: await ownId(row), version: state.version, updatedAt } };
    return { damaged: { id: shown(id), code: "record-tampered" } };
  } catch (error) {
    const { code } = envelopeFailure(error);
    if (FAILS_THE_LIST.has(code)) throw error;
    return { damaged: { id: shown(id), code: code === "id-invalid" ? "record-tampered" : code } };
  }
}

/** What is not wrong with one row: the rest of the page would meet it too. */
const FAILS_THE_LIST: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "aborted",
  "deadline-exceeded",
  "encryption-failed",
  "key-not-configured",
  "keyring-overloaded",
  "regions-unavailable",
  "store-closed",
  "store-failed",
]);

/** `vault.debts`. Versions whose wrap set is damaged are among them: what they owe is not known. */
export async function debts(
  { store: { inventory }, keys, limits }: Pick<Dependencies, "store" | "keys" | "limits">,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
): Promise<DebtPage> {
  requirePageLimit(limit, limits.listItems);
  const after = cursor === undefined ? null : decodeDebtCursor(cursor);
  await keys.requireReader();
  const sets = new Map<WrapSetId, WrapSet | null>();
  for (const { id, set } of await inventory.sets()) if (set === null || set.missing.length > 0) sets.set(id, set);
  const found = sets.size === 0 ? [] : await inventory.list({ sets: [...sets.keys()], after, limit: limit + 1 });
  return page(found, limit, {
    show: (item) => owing(item, sets.get(item.wrapSet) ?? null),
    cursorAfter: ({ position }) => [DEBT_FORMAT, position],
  });
}

function owing(
  { place, collection, id, since, failure }: InventoryItem,
  set: WrapSet | null,
): Shown<OwedVersion, DamagedRecord & { readonly collection: string }> {
  if (place === null || set === null || since === null)
    return { damaged: { collection: shown(collection), id: shown(id), code: "record-tampered" } };
  const regions = set.missing
    .toSorted((a, b) => (a.keyArn < b.keyArn ? -1 : 1))
    .map(({ region, reason }) => ({ region: shown(region), reason: shown(reason) }));
  const lastProblem = failure === null ? null : { code: shown(failure.code), at: shown(failure.at) };
  return { item: { ...place, regions, since, attempts: failure?.attempts ?? 0, lastProblem } };
}

/** `vault.collections`: what has a name that no collection has is left out. */
export async function collections({
  store,
  keys,
}: Pick<Dependencies, "store" | "keys">): Promise<readonly CollectionCount[]> {
  await keys.requireReader();
  return (await store.records.collections()).flatMap(({ name, records }) =>
    isCollection(name) ? [{ collection: name, records }] : [],
  );
}

/** @throws VaultError `limit-invalid` */
export function requirePageLimit(limit: number, most: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
    throw new VaultError("limit-invalid", `A page has 1 to ${most} items`);
}

/** What a row comes to. */
type Shown<Item, Damaged> = { readonly item: Item } | { readonly damaged: Damaged };

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

/** What a cursor begins with, so that one list's is not taken for another's. */
const LIST_FORMAT = "list-2";
const DEBT_FORMAT = "debt-3";

/** Of a position in a store's inventory, in characters. */
const MAX_POSITION_LENGTH = 2048;

/** A position of the greatest length, and two names of the greatest length, stay below this. */
const MAX_CURSOR_LENGTH = 16_384;

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

/** The position of a cursor of a list of this format and of what is listed. @throws VaultError `cursor-invalid` */
export function positionAfter(of: string, expected: string, cursor: string): Uint8Array {
  const [format, listed, position, ...rest] = decodeCursor(cursor);
  if (format !== of || listed === undefined || position === undefined || rest.length > 0) throw cursorInvalid();
  if (listed !== expected)
    throw new VaultError("cursor-invalid", `The cursor is of another ${of === LIST_FORMAT ? "collection" : "list"}`);
  return bytes(position);
}

/** The store's position in it. @throws VaultError `cursor-invalid` */
function decodeDebtCursor(cursor: string): string {
  const [format, position, ...rest] = decodeCursor(cursor);
  if (format !== DEBT_FORMAT || position === undefined || rest.length > 0) throw cursorInvalid();
  if (position.length > MAX_POSITION_LENGTH) throw cursorInvalid();
  return position;
}

function cursorInvalid(): VaultError {
  return new VaultError("cursor-invalid", "The cursor is not one that this list gave out");
}
